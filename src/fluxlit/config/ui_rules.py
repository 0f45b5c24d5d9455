"""The chapter of the rule book on where the UI runs. Its errors stop a start in any case."""

from __future__ import annotations

from typing import Final

from fluxlit._paths import normalize
from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Level
from fluxlit.config.rulebook import LOOPBACK, RuleBook, shown, site_of, when
from fluxlit.exceptions import ConfigurationError

SHORTEST_SECRET: Final = 32
"""Characters; a shorter one may be guessed by whoever can try it against an answer."""

MAKE_ONE: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one"

UI_RULES: Final = RuleBook()
"""The chapter."""


def refuse_impossible(deployment: Deployment) -> None:
    """Refuse to start where the UI cannot run the way it is asked to.

    Raises:
        ConfigurationError: A rule of this chapter calls it an error.
    """
    for rule in UI_RULES:
        if rule.level is Level.ERROR and (finding := rule.ask(deployment)) is not None:
            raise ConfigurationError(finding.message, remedy=finding.remedy)


@UI_RULES.rule("ui_mode", "use ui_mode sidecar, or one gateway worker", Level.ERROR)
def _embedded_gateways(d: Deployment) -> str:
    several = d.settings.ui_mode == "embedded" and d.workers > 1
    return when(
        several,
        f"an embedded UI is in the gateway worker, of which there would be {d.workers}:"
        " a visitor's requests would reach another's UI",
    )


@UI_RULES.rule("ui_mode", "use ui_mode sidecar, or drop ui_workers", Level.ERROR)
def _embedded_ui_workers(d: Deployment) -> str:
    said = d.settings.ui_workers
    several = d.settings.ui_mode == "embedded" and said not in {"auto", 1}
    return when(several, f"an embedded UI has no workers of its own, and ui_workers is {said}")


@UI_RULES.rule(
    "streamlit_upstream",
    "set FLUXLIT_STREAMLIT_UPSTREAM to the URLs of the UI, by commas",
    Level.ERROR,
)
def _upstream_missing(d: Deployment) -> str:
    missing = d.settings.ui_mode == "remote" and not d.settings.streamlit_upstream
    return when(missing, "ui_mode is remote, but where the UI runs is not said")


@UI_RULES.rule("streamlit_upstream", "write it as http://host:port", Level.ERROR)
def _upstream_invalid(d: Deployment) -> str:
    wrong = [url for url in _remote(d) if site_of(url) is None]
    return when(wrong, f"no address of a UI: {', '.join(map(shown, wrong))}")


@UI_RULES.rule(
    "streamlit_upstream",
    "leave the path out, and run the UI under the app's own (root_path, --server.baseUrlPath)",
    Level.ERROR,
)
def _upstream_path(d: Deployment) -> str:
    own = d.settings.public_mount_path() + d.settings.ui_base()
    sites = {url: site for url in _remote(d) if (site := site_of(url)) is not None}
    wrong = [url for url, site in sites.items() if normalize(site.path) not in {"", own}]
    told = ", ".join(map(shown, wrong))
    return when(wrong, f"requests to the UI keep their path, {own or '/'}, and cannot go to {told}")


@UI_RULES.rule("streamlit_upstream", "set ui_mode to remote, or unset FLUXLIT_STREAMLIT_UPSTREAM")
def _upstream_unused(d: Deployment) -> str:
    mode = d.settings.ui_mode
    unused = d.settings.streamlit_upstream and mode != "remote"
    return when(unused, f"streamlit_upstream is set, but ui_mode is {mode}: nothing reads it")


@UI_RULES.rule("ui_secret", f"set FLUXLIT_UI_SECRET here and for `fluxlit ui`; {MAKE_ONE}")
def _remote_without_secret(d: Deployment) -> str:
    far = _far(d)
    bare = far and not d.settings.ui_secret.get_secret_value()
    return when(bare, f"whoever reaches {', '.join(map(shown, far))} gets past this gateway")


@UI_RULES.rule("ui_secret", "use https, or a network that nobody else listens to")
def _remote_in_clear(d: Deployment) -> str:
    clear = [url for url in _far(d) if url.strip().lower().startswith("http://")]
    exposed = clear and d.settings.ui_secret.get_secret_value()
    return when(exposed, f"ui_secret's key travels in clear to {', '.join(map(shown, clear))}")


@UI_RULES.rule("ui_secret", MAKE_ONE)
def _ui_secret_short(d: Deployment) -> str:
    length = len(d.settings.ui_secret.get_secret_value())
    return when(0 < length < SHORTEST_SECRET, f"ui_secret has {length} characters")


def _remote(d: Deployment) -> list[str]:
    return d.settings.streamlit_upstream if d.settings.ui_mode == "remote" else []


def _far(d: Deployment) -> list[str]:
    """Return the upstreams on other machines."""
    sites = {url: site for url in _remote(d) if (site := site_of(url)) is not None}
    return [url for url, site in sites.items() if site.hostname not in LOOPBACK]

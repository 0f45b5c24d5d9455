"""The rule book: what is doubtful about a deployment. Pure: values in, findings out.

``fluxlit doctor``, ``fluxlit config --strict`` and the setting ``strict_startup`` all ask here, so
they cannot disagree. A warning works but is probably not meant; an error cannot work, or is
dangerous. *Strict* makes errors of warnings.
"""

from __future__ import annotations

from typing import Final

from fluxlit._paths import DEBUG_PATH, is_under, normalize
from fluxlit.config.deployment import Deployment, own_public_url
from fluxlit.config.findings import Finding, Level
from fluxlit.config.rulebook import LOOPBACK, RuleBook, is_everybody, shown, site_of, when
from fluxlit.config.token_rules import TOKEN_RULES
from fluxlit.config.ui_rules import UI_RULES, refuse_impossible
from fluxlit.exceptions import ConfigurationError

LOW_READ_TIMEOUT: Final = 5.0
"""Seconds; below, a page that thinks for a moment is cut off."""

MB: Final = 1 << 20
GATEWAY_MEMORY: Final = 80 * MB
UI_MEMORY: Final = 200 * MB
"""Bytes that one worker needs with a small app; the UI with data frames loaded."""

STREAMLIT_UPLOAD: Final = 200
"""Megabytes of an upload that Streamlit allows unless told otherwise (server.maxUploadSize)."""

FIGHTING_OPTIONS: Final = {
    "serverport": ("", "server.port is decided by FluxLit"),
    "serveraddress": ("", "server.address is decided by FluxLit"),
    "serverbaseurlpath": ("", "server.baseUrlPath is decided by FluxLit"),
    "serversslcertfile": ("", "server.sslCertFile would hide the UI worker behind TLS of its own"),
    "serverenablexsrfprotection": ("false", "server.enableXsrfProtection is off"),
    "serverenablecors": ("false", "server.enableCORS is off: every site may read the UI's answers"),
}
"""Options of Streamlit that work against the gateway: the value that does (blank: any), and why."""

_LOCAL: Final = LOOPBACK | {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PUBLIC_URL: Final = frozenset({"public_base_url", "public_base_url_precedence"})

RULES: Final = RuleBook(UI_RULES, TOKEN_RULES)
"""The book."""


def judge(deployment: Deployment) -> list[Finding]:
    """Return what is doubtful about a deployment, in the order of the book."""
    found = [finding for rule in RULES if (finding := rule.ask(deployment)) is not None]
    strict_url = deployment.settings.strict_public_base_url
    return [f.strictly() if strict_url and f.check in _PUBLIC_URL else f for f in found]


def refuse_doubtful(deployment: Deployment) -> None:
    """Refuse to start what cannot run, and what is doubtful where the settings ask for that.

    Raises:
        ConfigurationError: The UI cannot run as it is asked to; ``strict_startup`` is on and a rule
            fires; ``strict_public_base_url`` is and one about the public URL does.
    """
    refuse_impossible(deployment)
    settings = deployment.settings
    if not (settings.strict_startup or settings.strict_public_base_url):
        return
    found = judge(deployment)
    switch = "strict_startup"
    if not settings.strict_startup:
        switch = "strict_public_base_url"
        found = [finding for finding in found if finding.check in _PUBLIC_URL]
    if found:
        told = "; ".join(f"{finding.name}: {finding.message}" for finding in found)
        remedies = "; ".join(finding.remedy for finding in found)
        raise ConfigurationError(f"{switch}: {told}", remedy=remedies)


# What is believed of the proxy in front.


@RULES.rule("forwarded_allow_ips", 'name the proxies: forwarded_allow_ips = "10.0.0.0/8"')
def _forwarded_allow_ips_broad(d: Deployment) -> str:
    everybody = any(map(is_everybody, d.settings.effective_forwarded_allow_ips()))
    return when(everybody, "trust_proxy believes any peer's word on address, scheme and user")


@RULES.rule("forwarded_allow_ips", "set trust_proxy, or drop forwarded_allow_ips")
def _forwarded_allow_ips_unused(d: Deployment) -> str:
    unused = (d.settings.forwarded_allow_ips or "").strip() and not d.settings.trust_proxy
    return when(unused, "forwarded_allow_ips is set, but trust_proxy is off: nobody is believed")


@RULES.rule("gateway_max_proxy_body", "set gateway_max_proxy_request_body_bytes")
def _gateway_max_body_unlimited_trust_proxy(d: Deployment) -> str:
    unlimited = d.settings.trust_proxy and not d.settings.gateway_max_proxy_request_body_bytes
    return when(unlimited, "behind a proxy, requests to the UI may be of any size")


@RULES.rule("gateway_max_proxy_body", "make gateway_max_proxy_request_body_bytes the larger one")
def _upload_above_body_limit(d: Deployment) -> str:
    limit = d.settings.gateway_max_proxy_request_body_bytes
    offered = d.streamlit.get("servermaxuploadsize", str(STREAMLIT_UPLOAD))
    above = limit and offered.isdigit() and int(offered) * MB > limit
    return when(above, f"the UI offers uploads of {offered} MB, but only {limit} bytes get through")


@RULES.rule("proxy_headers", "set trust_proxy and forwarded_allow_ips")
def _subpath_without_trust_proxy(d: Deployment) -> str:
    mount = d.settings.public_mount_path()
    distrust = mount and not d.settings.trust_proxy
    return when(distrust, f"{mount} means a proxy in front, but nothing that it says is believed")


# Public addresses.


@RULES.rule("public_base_url", "set public_base_url to the address in the browser, with its path")
def _subpath_without_public_base_url(d: Deployment) -> str:
    mount = d.settings.public_mount_path()
    unknown = mount and not d.settings.public_base_url.strip()
    return when(unknown, f"the app lives under {mount}, but its public address is not known")


@RULES.rule("public_base_url", "write it as https://host/path", Level.ERROR)
def _public_base_url_invalid(d: Deployment) -> str:
    url = d.settings.public_base_url.strip()
    return when(url and not site_of(url), f"{shown(url)} is not the address of a site")


@RULES.rule("public_base_url", "make root_path and the path of public_base_url the same")
def _public_base_url_path_mismatch(d: Deployment) -> str:
    site, mount = site_of(d.settings.public_base_url), d.settings.public_mount_path()
    path = normalize(site.path) if site else ""
    return when(
        path not in {"", mount}, f"public_base_url says {path}, root_path says {mount or '/'}"
    )


@RULES.rule("public_base_url_precedence", "make both say the same, or set one")
def _public_base_url_precedence(d: Deployment) -> str:
    own, other = own_public_url(d).rstrip("/"), d.platform_url.rstrip("/")
    conflict = own and other and own != other
    return when(conflict, f"PUBLIC_BASE_URL, {shown(other)}, is not used, but {shown(own)}")


@RULES.rule("oauth_public_base_url", "set public_base_url, which the login returns to")
def _oauth_public_base_url(d: Deployment) -> str:
    has_login = d.settings.oidc_bff_secret.get_secret_value()
    lost = has_login and not d.settings.public_base_url.strip()
    return when(lost, "a login is configured, but the address it returns to is not known")


@RULES.rule("config.root_path", "set root_path alone")
def _mount_conflict(d: Deployment) -> str:
    new, old = normalize(d.settings.root_path), normalize(d.settings.streamlit_public_path)
    return when(new and old and new != old, f"root_path {new} hides streamlit_public_path {old}")


@RULES.rule("FLUXLIT_INTERNAL_API_BASE", "unset it, or write http://host:port/api", Level.ERROR)
def _internal_api_base_invalid(d: Deployment) -> str:
    url = d.internal_api_base
    return when(url and not site_of(url), f"{shown(url)} is not the address of an API")


@RULES.rule("FLUXLIT_INTERNAL_API_BASE", "unset it, or let its path end in the API's prefix")
def _internal_api_base_path(d: Deployment) -> str:
    site, prefix = site_of(d.internal_api_base), d.settings.api_prefix()
    wrong = site is not None and not normalize(site.path).endswith(prefix)
    return when(wrong, f"{shown(d.internal_api_base)} does not end in the API's prefix {prefix}")


@RULES.rule("FLUXLIT_INTERNAL_API_BASE", "unset it, unless pages are to call another service")
def _internal_api_base_mismatch(d: Deployment) -> str:
    site, host, port = (
        site_of(d.internal_api_base),
        d.settings.gateway_host,
        d.settings.gateway_port,
    )
    own = d.settings.internal_api_base()  # names the public host, and no port where that has none
    if site is None or d.internal_api_base.rstrip("/") == own:
        return ""
    asked = _DEFAULT_PORTS[site.scheme] if site.port is None else site.port
    is_host = site.hostname == host or (site.hostname in LOOPBACK and host in _LOCAL)
    elsewhere = not is_host or asked != port
    return when(elsewhere, f"pages call {site.netloc}, this service listens on {host}:{port}")


# Between gateway and UI.


@RULES.rule("gateway_forward_rejected_names", "leave these names out of the list")
def _gateway_forward_blocked_names(d: Deployment) -> str:
    rejected = d.settings.rejected_forward_headers
    return when(rejected, f"headers that are never passed on to pages: {', '.join(rejected)}")


@RULES.rule("gateway_upstream_timeouts", f"allow {LOW_READ_TIMEOUT:g} seconds at least")
def _upstream_read_timeout_low(d: Deployment) -> str:
    seconds = d.settings.gateway_upstream_read_timeout_s
    return when(
        seconds < LOW_READ_TIMEOUT, f"an answer of the UI that takes {seconds:g} s is cut off"
    )


@RULES.rule("streamlit_options", "drop it from .streamlit, STREAMLIT_* or streamlit_run_cli_args")
def _streamlit_options_fight(d: Deployment) -> str:
    fights = [
        why
        for name, (bad, why) in FIGHTING_OPTIONS.items()
        if name in d.streamlit and bad in {"", d.streamlit[name].lower()}
    ]
    return "; ".join(fights)


@RULES.rule("ui_allowed_origins", "name the sites that embed this app")
def _ui_allowed_origins_any(d: Deployment) -> str:
    return when("*" in d.settings.ui_allowed_origins, "any site may open this UI's WebSocket")


# The API.


@RULES.rule("security_headers", "set enable_security_headers")
def _cors_without_security_headers(d: Deployment) -> str:
    bare = d.settings.cors_allow_origins and not d.settings.enable_security_headers
    return when(bare, "other origins may call the API, whose answers carry no security headers")


@RULES.rule("cors", "name the origins", Level.ERROR)
def _cors_credentials_any_origin(d: Deployment) -> str:
    open_to_all = d.settings.cors_allow_credentials and "*" in d.settings.cors_allow_origins
    return when(open_to_all, "every site may call the API with its visitor's cookies")


@RULES.rule("cors", "name the origins, or drop cors_allow_credentials")
def _cors_credentials_unused(d: Deployment) -> str:
    unused = d.settings.cors_allow_credentials and not d.settings.cors_allow_origins
    return when(unused, "cors_allow_credentials is on, but no origin is allowed")


# Operation.


@RULES.rule("metrics_path", "choose a path outside the API, such as /__fluxlit/metrics")
def _metrics_under_api_prefix(d: Deployment) -> str:
    hidden = d.settings.enable_gateway_prometheus_metrics and not d.settings.metrics_path()
    path = normalize(d.settings.gateway_prometheus_metrics_path)
    return when(hidden, f"{path or '/'} belongs to the {'API' if path else 'UI'}, which answers")


@RULES.rule("debug", "unset FLUXLIT_DEBUG")
def _debug_in_production(d: Deployment) -> str:
    return when(d.settings.debug and not d.development, "debug is on outside `fluxlit dev`")


@RULES.rule("debug", "choose another api_mount_path, such as /api")
def _debug_under_api_prefix(d: Deployment) -> str:
    prefix = d.settings.api_prefix().encode()
    hidden = d.settings.debug and prefix and is_under(DEBUG_PATH.encode(), prefix)
    return when(hidden, f"{DEBUG_PATH} belongs to the API, which answers")


@RULES.rule("workers", "start fewer workers, or give them more memory")
def _workers_above_memory(d: Deployment) -> str:
    needed = d.workers * GATEWAY_MEMORY + d.ui_workers * UI_MEMORY
    named = f"{d.workers} gateway and {d.ui_workers} UI workers"
    have = f"{d.memory // MB} MB of memory are there"
    return when(0 < d.memory < needed, f"{named} need about {needed // MB} MB, and {have}")


@RULES.rule("session_store", "give the app a store that all workers share")
def _session_store_per_worker(d: Deployment) -> str:
    apart = d.keeps_sessions_in_memory and d.ui_workers > 1
    return when(apart, f"each of {d.ui_workers} UI workers keeps sessions in a memory of its own")

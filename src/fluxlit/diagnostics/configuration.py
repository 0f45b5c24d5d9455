"""What is configured, and what the rule book thinks of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from fluxlit import _env
from fluxlit._credentials import without_password
from fluxlit.config.findings import Finding, Level, passed
from fluxlit.config.provenance import ENV_PREFIX
from fluxlit.config.rules import RULES, judge
from fluxlit.config.settings import FluxlitSettings
from fluxlit.config.sources import variables_of
from fluxlit.diagnostics.subject import Patient, Subject

_NEAR: Final = 0.85
"""Share of equal letters from which on two names are taken for one."""

Describe = Callable[[FluxlitSettings], str]

CALM: Final[dict[str, Describe]] = {
    "config.root_path": lambda s: s.public_mount_path() or "the app is at the root",
    "cors": lambda s: ", ".join(s.cors_allow_origins) or "off",
    "debug": lambda s: "on, for development" if s.debug else "off",
    "forwarded_allow_ips": lambda s: (
        ", ".join(s.effective_forwarded_allow_ips()) or "nobody is believed"
    ),
    "FLUXLIT_INTERNAL_API_BASE": lambda s: f"pages call {s.internal_api_base()}",
    "gateway_forward_rejected_names": lambda _: "none",
    "gateway_max_proxy_body": lambda s: (
        f"{s.gateway_max_proxy_request_body_bytes or 'any number of'} bytes"
    ),
    "gateway_upstream_timeouts": lambda s: (
        f"connect {s.gateway_upstream_connect_timeout_s:g} s,"
        f" read {s.gateway_upstream_read_timeout_s:g} s"
    ),
    "jwt_clock_skew": lambda s: f"{s.jwt_leeway_seconds} s are tolerated",
    "metrics_path": lambda s: (
        s.gateway_prometheus_metrics_path if s.enable_gateway_prometheus_metrics else "off"
    ),
    "proxy_headers": lambda s: "believed" if s.trust_proxy else "not believed",
    "public_base_url": lambda s: without_password(s.public_base_url) or "taken from each request",
    "security_headers": lambda s: "on" if s.enable_security_headers else "off",
    "streamlit_upstream": lambda s: (
        ", ".join(map(without_password, s.streamlit_upstream)) or "the UI of this service"
    ),
    "ui_mode": lambda s: s.ui_mode,
    "ui_secret": lambda s: (
        "shared" if s.ui_secret.get_secret_value() else "made at each start, for this service alone"
    ),
    "ui_allowed_origins": lambda s: ", ".join(s.ui_allowed_origins) or "only its own",
}
"""What a row of the rule book says when no rule fires."""


def effective(patient: Patient) -> Iterator[Finding]:
    """Tell the values that decide most."""
    settings = patient.app.settings
    yield passed("config.api_mount_path", settings.api_prefix() or "the API owns the root")
    yield passed("config.url_session", f"?{settings.url_session_query_param}=")
    yield passed("config.trust_proxy", "on" if settings.trust_proxy else "off")
    yield passed("config.public_base_url", without_password(settings.public_base_url) or "not set")
    names = ", ".join(settings.gateway_forward_client_headers_to_streamlit)
    yield passed("gateway_forward_client_headers", names or "none")
    yield passed("async_depends_streamlit", "async dependencies of pages work")


def rule_book(patient: Patient) -> Iterator[Finding]:
    """Ask every rule; a row whose rules have nothing to say passes."""
    fired: dict[str, list[Finding]] = {}
    for finding in judge(patient.deployment):
        fired.setdefault(finding.row, []).append(finding)
    for row, _ in groupby(RULES, key=lambda rule: rule.check):
        describe = CALM.get(row)
        calm = describe(patient.app.settings) if describe else "nothing doubtful"
        yield from fired.pop(row, [passed(row, calm)])


def variables(patient: Patient) -> Iterator[Finding]:
    """Look for variables that are nearly a setting's; others may use the prefix, too."""
    known = set(variables_of(type(patient.app.settings)).values())
    known |= {value for value in vars(_env).values() if isinstance(value, str)}
    slips = {
        name: near[0]
        for name in sorted(patient.subject.environ)
        if name.startswith(ENV_PREFIX)
        and name not in known
        and (near := difflib.get_close_matches(name, known, n=1, cutoff=_NEAR))
    }
    if not slips:
        yield passed("environment", "no variable looks like a misspelt setting")
    for name, meant in slips.items():
        yield Finding(
            "environment", Level.WARNING, f"nothing reads {name}", f"did you mean {meant}?"
        )


def leftovers(subject: Subject) -> Iterator[Finding]:
    """Look for a variable of older versions that nothing reads."""
    row, variable = "streamlit_upstream_state", "FLUXLIT_STREAMLIT_UPSTREAM_FILE"
    if subject.environ.get(variable):
        message = f"{variable} is set, and nothing reads it: FluxLit finds its UI by itself"
        yield Finding(row, Level.WARNING, message, "unset it")


def advice(_: Subject) -> Iterator[Finding]:
    """Tell what cannot be seen from here."""
    message = "a proxy in front must pass WebSocket upgrades on; --live URL tries it"
    yield passed("l7_websocket", message)

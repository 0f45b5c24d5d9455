"""Each rule: what makes it fire, what does not, and what strictness makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import pytest
from pydantic import SecretStr

from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Level, worst
from fluxlit.config.provenance import Kind, Origin
from fluxlit.config.rules import RULES, judge, refuse_doubtful
from fluxlit.config.ui_rules import UI_RULES
from fluxlit.exceptions import ConfigurationError

pytestmark = pytest.mark.usefixtures("no_settings")

LONG = "x" * 40


class Own(FluxlitSettings):
    desk_key: SecretStr = SecretStr("")


@dataclass
class Case:
    """Settings and surroundings that make a rule fire, and the least change that quiets it."""

    fires: dict[str, Any]
    quiet: dict[str, Any]
    around: dict[str, Any] = field(default_factory=dict)
    quiet_around: dict[str, Any] | None = None
    says: str = ""
    level: Level = Level.WARNING


MOUNTED = {"root_path": "/desk", "trust_proxy": True, "public_base_url": "https://a.example/desk"}
JWT = {"jwt_issuer": "https://i.example", "jwt_audience": "desk"}
BASE = "internal_api_base"

REMOTE = {"ui_mode": "remote"}
HERE = {**REMOTE, "streamlit_upstream": "http://127.0.0.1:8501"}
THERE = {**REMOTE, "streamlit_upstream": "http://10.0.0.5:8501, https://b.example"}
KEY = {"ui_secret": LONG}

CASES: dict[str, list[Case]] = {
    "embedded_gateways": [
        Case(
            {"ui_mode": "embedded"},
            {"ui_mode": "embedded"},
            {"workers": 2},
            {"workers": 1},
            says="2",
            level=Level.ERROR,
        )
    ],
    "embedded_ui_workers": [
        Case(
            {"ui_mode": "embedded", "ui_workers": 2},
            {"ui_mode": "embedded", "ui_workers": quiet},
            level=Level.ERROR,
        )
        for quiet in (1, "auto")
    ],
    "upstream_missing": [Case(REMOTE, HERE, level=Level.ERROR)],
    "upstream_invalid": [
        Case({**REMOTE, "streamlit_upstream": bad}, HERE, level=Level.ERROR)
        for bad in ("10.0.0.5:8501", "ftp://a", "http://me:s3cret@a", "http://a?b")
    ],
    "upstream_path": [
        Case(
            {**HERE, "streamlit_upstream": "http://127.0.0.1:8501/desk"},
            {**HERE, **MOUNTED, "streamlit_upstream": "http://127.0.0.1:8501/desk/"},
            says="/desk",
            level=Level.ERROR,
        )
    ],
    "upstream_unused": [Case({"streamlit_upstream": "http://a"}, {**KEY, **HERE}, says="sidecar")],
    "remote_without_secret": [Case(THERE, HERE, says="b.example")],
    "remote_in_clear": [
        Case({**THERE, **KEY}, {**HERE, **KEY}, says="10.0.0.5"),
        Case({**THERE, **KEY}, {**KEY, **REMOTE, "streamlit_upstream": "https://b.example"}),
    ],
    "ui_secret_short": [Case({"ui_secret": "x" * 31}, {"ui_secret": "x" * 32})],
    "secret_well_known": [
        Case(
            {"jwt_hs256_secret": " ChangeMe "}, {"jwt_hs256_secret": LONG}, level=Level.ERROR,
            says="jwt_hs256_secret",
        ),
        Case({"desk_key": "password"}, {"desk_key": "pw-1"}, level=Level.ERROR, says="desk_key"),
    ],
    "secret_short": [
        Case(
            {"oidc_bff_secret": "x" * 31}, {"oidc_bff_secret": "x" * 32}, says="oidc_bff_secret"
        )
    ],
    "jwt_two_keys": [
        Case(
            {**JWT, "jwt_hs256_secret": LONG, "jwt_jwks_url": "https://i.example/keys"},
            {**JWT, "jwt_jwks_url": "https://i.example/keys"},
            level=Level.ERROR,
        )
    ],
    "jwt_incomplete": [
        Case({"jwt_hs256_secret": LONG}, {**JWT, "jwt_hs256_secret": LONG}, says="issuer"),
        Case(JWT, {}, says="key"),
    ],
    "jwt_keys_in_clear": [
        Case({**JWT, "jwt_jwks_url": f"http://{host}"}, {**JWT, "jwt_jwks_url": good})
        for host, good in (("i.example", "https://i.example"), ("i.example", "http://localhost:1"))
    ],
    "jwt_leeway_long": [Case({"jwt_leeway_seconds": 301}, {"jwt_leeway_seconds": 300})],
    "forwarded_allow_ips_broad": [
        Case(
            {"trust_proxy": True, "forwarded_allow_ips": "10.0.0.1, *"},
            {"trust_proxy": True, "forwarded_allow_ips": "10.0.0.0/8"},
        ),
        Case({"trust_proxy": True, "forwarded_allow_ips": "*"}, {"trust_proxy": True}),
        *(
            Case(
                {"trust_proxy": True, "forwarded_allow_ips": everybody},
                {"trust_proxy": True, "forwarded_allow_ips": "unix, ::1, 10.0.0.0/8"},
            )
            for everybody in ("0.0.0.0/0", "::/0", "10.0.0.1/0.0.0.0")
        ),
    ],
    "forwarded_allow_ips_unused": [
        Case({"forwarded_allow_ips": "10.0.0.1"}, {"forwarded_allow_ips": " "})
    ],
    "gateway_max_body_unlimited_trust_proxy": [
        Case(
            {"trust_proxy": True},
            {"trust_proxy": True, "gateway_max_proxy_request_body_bytes": 1 << 30},
        )
    ],
    "upload_above_body_limit": [
        Case(
            {"gateway_max_proxy_request_body_bytes": 200 * (1 << 20) - 1},
            {"gateway_max_proxy_request_body_bytes": 200 * (1 << 20)},
            says="200 MB",
        ),
        Case(
            {"gateway_max_proxy_request_body_bytes": 1 << 20},
            {"gateway_max_proxy_request_body_bytes": 1 << 20},
            {"streamlit": {"servermaxuploadsize": "2"}},
            {"streamlit": {"servermaxuploadsize": "1"}},
        ),
    ],
    "subpath_without_trust_proxy": [
        Case({"root_path": "/desk"}, {"root_path": "/"}, says="/desk"),
        Case({"streamlit_public_path": "desk"}, MOUNTED),
    ],
    "subpath_without_public_base_url": [Case({"root_path": "/desk"}, MOUNTED, says="/desk")],
    "public_base_url_invalid": [
        Case({"public_base_url": url}, {"public_base_url": "https://a.example"}, level=Level.ERROR)
        for url in (
            "a.example",
            "ftp://a.example",
            "https://",
            "https://a.example:port",
            "https://a.example/?x=1",
            "https://u:p@a.example",
        )
    ],
    "public_base_url_path_mismatch": [
        Case({**MOUNTED, "public_base_url": "https://a.example/other/"}, MOUNTED, says="/other"),
        Case({"public_base_url": "https://a.example/desk"}, {"public_base_url": "https://a.example/"}),
    ],
    "public_base_url_precedence": [
        Case(
            {"public_base_url": "https://own.example"},
            {"public_base_url": "https://own.example"},
            {"platform_url": "https://platform.example"},
            {"platform_url": "https://own.example/"},
            says="https://platform.example",
        )
    ],
    "oauth_public_base_url": [
        Case(
            {"oidc_bff_secret": LONG},
            {"oidc_bff_secret": LONG, "public_base_url": "https://a.example"},
        )
    ],
    "mount_conflict": [
        Case(
            {"root_path": "/new", "streamlit_public_path": "/old"},
            {"root_path": "/same", "streamlit_public_path": "same/"},
            says="/old",
        )
    ],
    "internal_api_base_invalid": [
        Case({}, {}, {BASE: "nonsense"}, {BASE: "http://127.0.0.1:8000/api"}, level=Level.ERROR)
    ],
    "internal_api_base_path": [
        Case({}, {}, {BASE: "http://127.0.0.1:8000"}, {BASE: "http://127.0.0.1:8000/x/api/"})
    ],
    "internal_api_base_mismatch": [
        Case({}, {}, {BASE: "http://127.0.0.1:9000/api"}, {BASE: "http://localhost:8000/api"}),
        Case(
            {},
            {"gateway_port": 80},
            {BASE: "http://127.0.0.1/api"},
        ),
        Case(
            {"public_base_url": "https://a.example"},
            {"public_base_url": "https://a.example"},
            {BASE: "https://a.example/api"},
            {BASE: "http://a.example/api"},
        ),
        Case(
            {"gateway_host": "10.0.0.1"},
            {"gateway_host": "0.0.0.0"},
            {BASE: "http://127.0.0.1:8000/api"},
        ),
    ],
    "gateway_forward_blocked_names": [
        Case(
            {"gateway_forward_client_headers_to_streamlit": ["x-tenant", "Cookie"]},
            {"gateway_forward_client_headers_to_streamlit": ["x-tenant"]},
            says="cookie",
        )
    ],
    "upstream_read_timeout_low": [
        Case(
            {"gateway_upstream_read_timeout_s": 4.9},
            {"gateway_upstream_read_timeout_s": 5},
            says="4.9",
        )
    ],
    "streamlit_options_fight": [
        Case({}, {}, {"streamlit": {name: value}}, {"streamlit": {name: other} if other else {}})
        for name, value, other in (
            ("serverport", "9", None),
            ("serverbaseurlpath", "x", None),
            ("serverenablexsrfprotection", "False", "true"),
            ("serverenablecors", "false", "true"),
        )
    ],
    "ui_allowed_origins_any": [
        Case({"ui_allowed_origins": ["*"]}, {"ui_allowed_origins": ["https://a.example"]})
    ],
    "cors_without_security_headers": [
        Case(
            {"cors_allow_origins": ["https://a.example"]},
            {"cors_allow_origins": ["https://a.example"], "enable_security_headers": True},
        )
    ],
    "cors_credentials_any_origin": [
        Case(
            {"cors_allow_credentials": True, "cors_allow_origins": ["*"]},
            {"cors_allow_credentials": True, "cors_allow_origins": ["https://a.example"]},
            level=Level.ERROR,
        )
    ],
    "cors_credentials_unused": [
        Case(
            {"cors_allow_credentials": True},
            {"cors_allow_credentials": True, "cors_allow_origins": ["https://a.example"]},
        )
    ],
    "metrics_under_api_prefix": [
        Case(
            {"enable_gateway_prometheus_metrics": True, "gateway_prometheus_metrics_path": "api/m"},
            {"enable_gateway_prometheus_metrics": True, "gateway_prometheus_metrics_path": "/apim"},
        ),
        Case(
            {
                "enable_gateway_prometheus_metrics": True,
                "ui_path": "/ui",
                "api_mount_path": "/__fluxlit",
            },
            {"enable_gateway_prometheus_metrics": True, "ui_path": "/ui"},
        ),
        Case(
            {"enable_gateway_prometheus_metrics": True, "gateway_prometheus_metrics_path": "/"},
            {"enable_gateway_prometheus_metrics": False, "gateway_prometheus_metrics_path": "/"},
            says="UI",
        ),
    ],
    "debug_in_production": [Case({"debug": True}, {"debug": True}, {}, {"development": True})],
    "debug_under_api_prefix": [
        Case(
            {"debug": True, "ui_path": "/ui", "api_mount_path": "/__fluxlit"},
            {"ui_path": "/ui", "api_mount_path": "/__fluxlit"},
        ),
        Case({"debug": True, "api_mount_path": "/__fluxlit"}, {"debug": True}),
        Case({"debug": True, "api_mount_path": "/__fluxlit"}, {"debug": True, "ui_path": "/ui"}),
    ],
    "workers_above_memory": [
        Case({}, {}, {"workers": 16, "memory": 1 << 30}, {"workers": 2, "memory": 1 << 30}),
        Case({}, {}, {"ui_workers": 8, "memory": 1 << 30}, {"ui_workers": 8, "memory": 0}),
    ],
    "session_store_per_worker": [
        Case(
            {},
            {},
            {"keeps_sessions_in_memory": True, "ui_workers": 2},
            {"keeps_sessions_in_memory": True},
            says="2 UI workers",
        ),
        Case({}, {}, {"keeps_sessions_in_memory": True, "ui_workers": 2}, {"ui_workers": 2}),
    ],
}  # fmt: skip

ROWS = [(name, case) for name, cases in CASES.items() for case in cases]
IDS = [f"{name}-{number}" for name, cases in CASES.items() for number, _ in enumerate(cases)]


def deployment(values: dict[str, Any], around: dict[str, Any]) -> Deployment:
    return Deployment(load_settings(Own, **values), **around)


def test_every_rule_of_the_book_is_tried() -> None:
    assert [rule.name for rule in RULES] == list(CASES)


def test_the_rules_of_a_row_stand_together() -> None:
    rows = [row for row, _ in groupby(RULES, key=lambda rule: rule.check)]
    assert len(rows) == len(set(rows)), "the doctor would show a row twice"


@pytest.mark.parametrize(("name", "case"), ROWS, ids=IDS)
def test_a_rule_fires_with_a_remedy_and_an_explanation(name: str, case: Case) -> None:
    found = {f.name: f for f in judge(deployment(case.fires, case.around))}
    assert name in found
    finding = found[name]
    assert finding.level is case.level
    assert case.says in finding.message
    assert finding.remedy
    assert finding.doc == f"docs/doctor.md#{name}"


@pytest.mark.parametrize(("name", "case"), ROWS, ids=IDS)
def test_a_rule_does_not_fire_next_to_it(name: str, case: Case) -> None:
    around = case.around if case.quiet_around is None else case.quiet_around
    assert name not in {f.name for f in judge(deployment(case.quiet, around))}


@pytest.mark.parametrize(("name", "case"), ROWS, ids=IDS)
def test_strictness_makes_an_error_of_it_and_refuses_the_start(name: str, case: Case) -> None:
    fired = deployment(case.fires, case.around)
    [finding] = [f for f in judge(fired) if f.name == name]
    assert finding.strictly().level is Level.ERROR
    impossible = name in {rule.name for rule in UI_RULES if rule.level is Level.ERROR}
    if impossible:  # it is refused in any case
        with pytest.raises(ConfigurationError, match=re.escape(finding.message)):
            refuse_doubtful(fired)
    else:
        refuse_doubtful(fired)
    strict = deployment({**case.fires, "strict_startup": True}, case.around)
    how = None if impossible else f"^strict_startup: .*{name}: "
    with pytest.raises(ConfigurationError, match=how) as refused:
        refuse_doubtful(strict)
    assert finding.remedy in refused.value.remedy


def test_the_defaults_are_beyond_doubt() -> None:
    strict = deployment({"strict_startup": True, "strict_public_base_url": True}, {})
    assert judge(strict) == []
    assert worst([]) is Level.PASS
    refuse_doubtful(strict)


@pytest.mark.parametrize(
    "name",
    ["public_base_url_invalid", "public_base_url_path_mismatch", "public_base_url_precedence"],
)
def test_a_strict_public_url_is_an_error_of_its_own(name: str) -> None:
    case = CASES[name][0]
    strict = deployment({**case.fires, "strict_public_base_url": True}, case.around)
    assert {f.name: f.level for f in judge(strict)}[name] is Level.ERROR
    with pytest.raises(ConfigurationError, match=f"^strict_public_base_url: {name}"):
        refuse_doubtful(strict)
    elsewhere = deployment({"debug": True, "strict_public_base_url": True}, {})
    refuse_doubtful(elsewhere)


def test_a_platforms_url_is_no_conflict_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://platform.example")
    taken = replace(deployment({}, {}), platform_url="https://platform.example")
    assert taken.settings.origin("public_base_url") == Origin(Kind.VARIABLE, "PUBLIC_BASE_URL")
    assert judge(taken) == []


def test_no_message_shows_a_password() -> None:
    bad = deployment(
        {"public_base_url": "https://me:s3cret@a.example", "jwt_hs256_secret": "s3cret"},
        {"internal_api_base": "http://me:s3cret@b.example?", "platform_url": "x://me:s3cret@c"},
    )
    told = repr(judge(bad))
    assert "a.example" in told
    assert "s3cret" not in told

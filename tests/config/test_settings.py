from __future__ import annotations

import json
import os
import typing
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, SecretStr, ValidationError

import fluxlit.config
from fluxlit._cpus import usable_cpus
from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.exceptions import ConfigurationError


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without any of our variables."""
    for name in list(os.environ):
        if name.upper().startswith("FLUXLIT_") or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


DEFAULTS: dict[str, object] = {
    "api_mount_path": "/api",
    "async_page_depends": False,
    "cors_allow_credentials": False,
    "cors_allow_origins": [],
    "cors_middleware_kwargs": {},
    "debug": False,
    "enable_gateway_access_log": False,
    "enable_gateway_prometheus_metrics": False,
    "enable_request_logging": False,
    "enable_security_headers": False,
    "experimental_yield_pages": False,
    "forwarded_allow_ips": None,
    "gateway_forward_client_headers_to_streamlit": [],
    "gateway_host": "127.0.0.1",
    "gateway_httpx_max_connections": 0,
    "gateway_httpx_max_keepalive_connections": 0,
    "gateway_max_concurrent_upstream_http": 0,
    "gateway_max_proxy_request_body_bytes": 0,
    "gateway_port": 8000,
    "gateway_prometheus_metrics_path": "/__fluxlit/metrics",
    "gateway_upstream_connect_timeout_s": 30.0,
    "gateway_upstream_read_timeout_s": 120.0,
    "gateway_ws_close_timeout_s": None,
    "gateway_ws_max_message_bytes": None,
    "gateway_queue_timeout_s": 5.0,
    "gateway_client_timeout_s": 60.0,
    "gateway_keep_alive_timeout_s": 75.0,
    "gateway_max_request_head_bytes": 65536,
    "gateway_request_head_timeout_s": 10.0,
    "gateway_ws_open_timeout_s": 30.0,
    "gateway_ws_ping_interval_s": None,
    "gateway_ws_ping_timeout_s": None,
    "jwt_audience": "",
    "jwt_hs256_secret": SecretStr(""),
    "jwt_issuer": "",
    "jwt_jwks_url": "",
    "jwt_leeway_seconds": 0,
    "log_level": "info",
    "oidc_bff_secret": SecretStr(""),
    "public_base_url": "",
    "root_path": "",
    "streamlit_host": "127.0.0.1",
    "streamlit_page_config": {},
    "streamlit_port": 0,
    "streamlit_public_path": "",
    "streamlit_run_cli_args": [],
    "strict_page_signatures": False,
    "strict_public_base_url": False,
    "strict_startup": False,
    "health_detail": False,
    "title": "FluxLit",
    "trust_proxy": False,
    "ui_allowed_origins": [],
    "ui_collector": True,
    "ui_collector_growth_bytes": 64 * 1024 * 1024,
    "ui_collector_idle_s": 1.0,
    "ui_collector_limit_bytes": 192 * 1024 * 1024,
    "gateway_spare": True,
    "ui_max_rss_mb": None,
    "ui_max_age_s": None,
    "worker_stuck_timeout_s": 30.0,
    "ui_handoff": True,
    "ui_frontend": True,
    "ui_head_html": "",
    "ui_head_file": "",
    "ui_content_security_policy": "",
    "ui_workers": 1,
    "ui_mode": "sidecar",
    "streamlit_upstream": [],
    "streamlit_upstream_check_interval_s": 2.0,
    "ui_secret": SecretStr(""),
    "ui_transport": "auto",
    "ui_path": "/",
    "url_session_query_param": "fluxlit_sid",
    "uvicorn_graceful_shutdown_timeout_s": None,
}


def test_names_and_defaults() -> None:
    assert FluxlitSettings().model_dump() == DEFAULTS


@pytest.mark.parametrize(("given", "value"), [("4", 4), (4, 4), ("AUTO", "auto"), ("64", 64)])
def test_ui_workers_are_a_number_or_auto(given: object, value: object) -> None:
    settings = FluxlitSettings(ui_workers=given)  # type: ignore[arg-type]
    assert settings.ui_workers == value
    assert settings.effective_ui_workers() == (usable_cpus() if value == "auto" else value)


@pytest.mark.parametrize("given", ["0", "-1", "65", "many", "", 1.5, True])
def test_ui_workers_are_nothing_else(given: object) -> None:
    with pytest.raises(ValidationError, match='from 1 to 64, or "auto"'):
        FluxlitSettings(ui_workers=given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({}, "/__fluxlit/metrics"),
        ({"gateway_prometheus_metrics_path": "numbers/"}, "/numbers"),
        ({"gateway_prometheus_metrics_path": "/api/metrics"}, ""),
        ({"enable_gateway_prometheus_metrics": False}, ""),
    ],
)
def test_where_the_counts_are(more: dict[str, Any], path: str) -> None:
    given = {"enable_gateway_prometheus_metrics": True, **more}
    assert FluxlitSettings(**given).metrics_path() == path


def test_every_setting_says_what_it_is() -> None:
    assert [n for n, f in FluxlitSettings.model_fields.items() if not f.description] == []


SAMPLES: dict[object, tuple[str, object]] = {
    bool: ("true", True),
    int: ("7", 7),
    int | Literal["auto"]: (" Auto ", "auto"),
    Literal["sidecar", "embedded", "remote"]: (" Remote", "remote"),
    Literal["auto", "unix", "tcp"]: ("TCP", "tcp"),
    float: ("7.5", 7.5),
    str: ("text", "text"),
    list[str]: ('["a-1", "b-2"]', ["a-1", "b-2"]),
    dict[str, Any]: ('{"a": [1]}', {"a": [1]}),
    SecretStr: ("s3cret", SecretStr("s3cret")),
}


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_each_setting_has_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    annotation = FluxlitSettings.model_fields[name].annotation
    kinds = [a for a in typing.get_args(annotation) if a is not type(None)]
    optional = type(None) in typing.get_args(annotation)
    text, value = SAMPLES[kinds[0] if optional else annotation]
    if name == "log_level":
        text, value = "DEBUG", "debug"
    if name == "forwarded_allow_ips":
        text, value = "unix, ::1", "unix, ::1"
    monkeypatch.setenv(f"FLUXLIT_{name.upper()}", text)
    assert getattr(FluxlitSettings(), name) == value


def test_precedence_from_default_to_argument(
    empty_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def port(**given: int) -> int:
        return load_settings(**given).gateway_port

    seen = [port()]
    (empty_surroundings / "pyproject.toml").write_text("[tool.fluxlit]\ngateway_port = 1001\n")
    seen.append(port())
    (empty_surroundings / "fluxlit.toml").write_text('target = "a:b"\ngateway_port = 1002\n')
    seen.append(port())
    (empty_surroundings / ".env").write_text("FLUXLIT_GATEWAY_PORT=1003\nOTHER=x\nFLUXLIT_X=y\n")
    seen.append(port())
    monkeypatch.setenv("FLUXLIT_GATEWAY_PORT", "1004")
    seen.append(port())
    seen.append(port(gateway_port=0))
    assert seen == [8000, 1001, 1002, 1003, 1004, 0]


def test_fluxlit_toml_hides_pyproject_as_a_whole(empty_surroundings: Path) -> None:
    (empty_surroundings / "pyproject.toml").write_text('[tool.fluxlit]\ntitle = "other"\n')
    (empty_surroundings / "fluxlit.toml").write_text("gateway_port = 1\n")
    assert FluxlitSettings().title == "FluxLit"


def test_a_blank_variable_counts_as_unset(
    empty_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_surroundings / "fluxlit.toml").write_text("gateway_port = 9\n")
    monkeypatch.setenv("FLUXLIT_GATEWAY_PORT", "")
    assert FluxlitSettings().gateway_port == 9


def test_unknown_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_GATEWAY_PROT", "1")
    assert FluxlitSettings().gateway_port == 8000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("https://a.example, https://b.example ,", ["https://a.example", "https://b.example"]),
        ('["x", "y,z"]', ["x", "y,z"]),
        ("[]", []),
    ],
)
def test_lists_from_the_environment(
    text: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLUXLIT_CORS_ALLOW_ORIGINS", text)
    assert FluxlitSettings().cors_allow_origins == expected


@pytest.mark.parametrize(
    ("ours", "platform", "expected"),
    [
        (None, "https://p.example", "https://p.example"),
        ("  ", "https://p.example", "https://p.example"),
        ("https://o.example", "https://p.example", "https://o.example"),
        (None, " ", ""),
        (None, None, ""),
    ],
)
def test_public_base_url_falls_back_to_the_platforms(
    ours: str | None, platform: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FLUXLIT_PUBLIC_BASE_URL", ours), ("PUBLIC_BASE_URL", platform)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert FluxlitSettings().public_base_url == expected


@pytest.mark.parametrize(
    ("given", "mount"),
    [
        ({}, ""),
        ({"root_path": "apps/desk/"}, "/apps/desk"),
        ({"streamlit_public_path": "/old"}, "/old"),
        ({"root_path": "/new", "streamlit_public_path": "/old"}, "/new"),
        ({"root_path": "  ", "streamlit_public_path": "/old"}, "/old"),
        ({"root_path": "/"}, ""),
    ],
)
def test_public_mount_path(given: dict[str, str], mount: str) -> None:
    assert load_settings(**given).public_mount_path() == mount


@pytest.mark.parametrize(
    ("given", "prefix", "ui"),
    [
        ({}, "/api", ""),
        ({"api_mount_path": "v1/"}, "/v1", ""),
        ({"api_mount_path": " "}, "/api", ""),
        ({"ui_path": "ui"}, "", "/ui"),
        ({"ui_path": "/ui/", "api_mount_path": "/"}, "", "/ui"),
        ({"ui_path": "/ui", "api_mount_path": "/api"}, "/api", "/ui"),
        ({"ui_path": "/apiary", "api_mount_path": "/api"}, "/api", "/apiary"),
    ],
)
def test_paths_of_api_and_ui(given: dict[str, str], prefix: str, ui: str) -> None:
    settings = load_settings(**given)
    assert (settings.api_prefix(), settings.ui_base()) == (prefix, ui)


def test_a_prefix_from_the_environment_counts_as_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_API_MOUNT_PATH", "/api")
    assert FluxlitSettings(ui_path="/ui").api_prefix() == "/api"


@pytest.mark.parametrize(
    "given",
    [
        {"api_mount_path": "/"},
        {"api_mount_path": "/api", "ui_path": "/api"},
        {"api_mount_path": "/api/v1", "ui_path": "/api"},
        {"api_mount_path": "/x", "ui_path": "/x/ui"},
    ],
)
def test_overlapping_paths_are_refused_with_a_remedy(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="ui_path"):
        FluxlitSettings(**given)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r'such as .*"/ui"'):
        load_settings(**given)


def test_an_error_about_several_settings_names_where_each_comes_from(
    empty_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_surroundings / "fluxlit.toml").write_text('title = "Desk"\nui_path = "/x/ui"\n')
    monkeypatch.setenv("FLUXLIT_API_MOUNT_PATH", "/x")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    told = "(said by FLUXLIT_API_MOUNT_PATH and ui_path in fluxlit.toml, line 2)"
    assert str(refused.value).endswith(told)


@pytest.mark.parametrize(
    "path", ["/a b", "/a?b", "/%61", "/../x", "/a/./b", "https://x.example/a", "/é", "a\\b"]
)
def test_paths_that_cannot_be_compared_byte_for_byte(path: str) -> None:
    with pytest.raises(ConfigurationError, match="argument root_path: expected a p"):
        load_settings(root_path=path)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("gateway_port", "65536", "65535"),
        ("gateway_port", "-1", "0"),
        ("gateway_port", "http", "integer"),
        ("streamlit_port", "70000", "65535"),
        ("gateway_upstream_read_timeout_s", "0", "greater than 0"),
        ("gateway_ws_open_timeout_s", "inf", "finite"),
        ("gateway_ws_ping_timeout_s", "-1", "greater than 0"),
        ("uvicorn_graceful_shutdown_timeout_s", "-1", "greater than or equal to 0"),
        ("gateway_max_proxy_request_body_bytes", "-1", "greater than or equal to 0"),
        ("log_level", "loud", "critical, error, warning, info, debug, trace"),
        ("debug", "perhaps", "boolean"),
        ("cors_allow_origins", '["a"', "JSON list"),
        ("cors_allow_origins", "[1]", "string"),
        ("streamlit_page_config", "{a}", "JSON object"),
        ("streamlit_page_config", "[]", "dict"),
    ],
)
def test_wrong_values_name_the_variable_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FLUXLIT_{name.upper()}", value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert f"FLUXLIT_{name.upper()}:" in str(caught.value)
    assert allowed in str(caught.value)
    with pytest.raises(ValidationError):
        FluxlitSettings()


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        (".env", "# x\nFLUXLIT_GATEWAY_PORT=99999", "FLUXLIT_GATEWAY_PORT in .env, line 2:"),
        ("fluxlit.toml", "gateway_port = 99999", "gateway_port in fluxlit.toml, line 1:"),
        (
            "pyproject.toml",
            "[tool.other]\ngateway_port = 1\n[tool.fluxlit]\ngateway_port = 99999",
            "gateway_port in pyproject.toml [tool.fluxlit], line 4:",
        ),
    ],
)
def test_wrong_values_name_the_file_and_the_line(
    empty_surroundings: Path, file: str, text: str, named: str
) -> None:
    (empty_surroundings / file).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(named)
    assert "not" in str(caught.value)
    assert "99999" in str(caught.value)


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_LOG_LEVEL", "loud")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(gateway_port=-1)
    assert "FLUXLIT_LOG_LEVEL" in str(caught.value)
    assert "argument gateway_port" in str(caught.value)


@pytest.mark.parametrize("name", ["jwt_hs256_secret", "oidc_bff_secret"])
def test_secrets_never_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FLUXLIT_{name.upper()}", "s3cret")
    settings = FluxlitSettings()
    assert getattr(settings, name).get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings) + str(settings) + settings.model_dump_json()
    # Errors of one value and of the whole carry their input unless told otherwise.
    for wrong in ({"api_mount_path": "/"}, {name: ["s3cret"]}):
        with pytest.raises(ValidationError) as plain:
            FluxlitSettings(**wrong)
        with pytest.raises(ConfigurationError) as loaded:
            load_settings(**wrong)
        assert "s3cret" not in str(plain.value) + str(loaded.value)


@pytest.mark.parametrize(
    ("trust", "listed", "expected"),
    [
        (False, None, ()),
        (False, "*", ()),
        (True, None, ("127.0.0.1", "::1")),
        (True, " , ", ("127.0.0.1", "::1")),
        (True, "*", ("*",)),
        (True, "10.0.0.0/8, 192.0.2.1", ("10.0.0.0/8", "192.0.2.1")),
    ],
)
def test_effective_forwarded_allow_ips(
    trust: bool, listed: str | None, expected: tuple[str, ...]
) -> None:
    settings = FluxlitSettings(trust_proxy=trust, forwarded_allow_ips=listed)
    assert settings.effective_forwarded_allow_ips() == expected


def test_forwarded_client_headers_are_sorted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "FLUXLIT_GATEWAY_FORWARD_CLIENT_HEADERS_TO_STREAMLIT"
    monkeypatch.setenv(variable, "X-Tenant,cookie,x-tenant,Accept-Language,x_y,X-Forwarded-Secret")
    settings = FluxlitSettings()
    assert settings.gateway_forward_client_headers_to_streamlit == ["accept-language", "x-tenant"]
    assert settings.rejected_forward_headers == ("cookie", "x-forwarded-secret", "x_y")
    monkeypatch.setenv(variable, json.dumps([f"x-{n}" for n in range(33)]))
    with pytest.raises(ConfigurationError, match="at most 32"):
        load_settings()


class DeskSettings(FluxlitSettings):
    my_field: int = 3
    my_table: dict[str, int] = Field(default_factory=dict)


def test_a_subclass_has_the_same_sources(
    empty_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(DeskSettings).my_field == 3
    (empty_surroundings / "fluxlit.toml").write_text("my_field = 4\n")
    assert load_settings(DeskSettings).my_field == 4
    with pytest.raises(ConfigurationError, match="my_field"):
        FluxlitSettings()
    monkeypatch.setenv("FLUXLIT_MY_FIELD", "5")
    assert load_settings(DeskSettings).my_field == 5


def test_a_subclass_fields_wrong_json_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLUXLIT_MY_TABLE", "{")
    with pytest.raises(ConfigurationError, match="my_table"):
        load_settings(DeskSettings)


def test_the_face_is_sorted() -> None:
    assert fluxlit.config.__all__ == sorted(fluxlit.config.__all__)


def test_a_trusted_proxy_that_is_no_address_is_refused_by_name(
    empty_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_surroundings / "fluxlit.toml").write_text('\nforwarded_allow_ips = "10.0.0.0/8, foo"\n')
    where = "forwarded_allow_ips in fluxlit.toml, line 2: 'foo' is no address"
    with pytest.raises(ConfigurationError, match=f"^{where}"):
        load_settings()
    monkeypatch.setenv("FLUXLIT_FORWARDED_ALLOW_IPS", "nonsense")
    where = "FLUXLIT_FORWARDED_ALLOW_IPS: 'nonsense' is no address"
    with pytest.raises(ConfigurationError, match=f"^{where}"):
        load_settings(trust_proxy=True)
    load_settings(trust_proxy=True, forwarded_allow_ips="10.0.0.1/8, unix, *, ::1")


def test_debug_lowers_only_the_default_log_level() -> None:
    assert FluxlitSettings(debug=True).effective_log_level() == "debug"
    assert FluxlitSettings(debug=True, log_level="error").effective_log_level() == "error"
    assert FluxlitSettings().effective_log_level() == "info"


def test_a_dotenv_file_in_another_coding_is_a_message(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("FLUXLIT_TITLE=Büro\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"\.env is not UTF-8") as caught:
        load_settings()
    assert caught.value.remedy == "save it as UTF-8"

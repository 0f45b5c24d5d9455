from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.config.loading import replace_settings
from fluxlit.config.provenance import Kind, Origin, dotenv_line, locate, toml_line
from fluxlit.exceptions import ConfigurationError

pytestmark = pytest.mark.usefixtures("no_settings")


def test_each_value_knows_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fluxlit.toml").write_text('title = "File"\nroot_path = "/file"\ndebug = true\n')
    (tmp_path / ".env").write_text("FLUXLIT_ROOT_PATH=/dotenv\nFLUXLIT_GATEWAY_PORT=1\n")
    monkeypatch.setenv("FLUXLIT_GATEWAY_PORT", "2")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://platform.example")
    settings = load_settings(gateway_host="localhost")
    settings = replace_settings(settings, {"log_level": "error"}, Kind.FLAG)
    origins = {name: settings.origin(name) for name in FluxlitSettings.model_fields}
    assert {name: origin for name, origin in origins.items() if origin.kind != Kind.DEFAULT} == {
        "title": Origin(Kind.FILE, "title", "fluxlit.toml"),
        "debug": Origin(Kind.FILE, "debug", "fluxlit.toml"),
        "root_path": Origin(Kind.DOTENV, "FLUXLIT_ROOT_PATH", ".env"),
        "gateway_port": Origin(Kind.VARIABLE, "FLUXLIT_GATEWAY_PORT"),
        "public_base_url": Origin(Kind.VARIABLE, "PUBLIC_BASE_URL"),
        "gateway_host": Origin(Kind.CODE, "gateway_host"),
        "log_level": Origin(Kind.FLAG, "--log-level"),
    }
    assert str(locate(origins["debug"], tmp_path)) == "debug in fluxlit.toml, line 3"
    assert str(locate(origins["root_path"], tmp_path)) == "FLUXLIT_ROOT_PATH in .env, line 1"


def test_replacing_checks_the_whole_and_keeps_the_rest() -> None:
    settings = load_settings(gateway_forward_client_headers_to_streamlit=["cookie", "x-a"])
    changed = replace_settings(settings, {"title": "New"})
    assert (changed.title, settings.title) == ("New", "FluxLit")
    assert changed.rejected_forward_headers == ("cookie",)
    assert changed.gateway_forward_client_headers_to_streamlit == ["x-a"]
    assert replace_settings(settings, {}) is settings
    with pytest.raises(ConfigurationError, match="both claim the root"):
        replace_settings(settings, {"api_mount_path": "/"})
    with pytest.raises(ConfigurationError, match="argument gateway_port"):
        replace_settings(settings, {"gateway_port": 70000})
    with pytest.raises(ConfigurationError, match=r"^--forwarded-allow-ips: 'me' is no address"):
        replace_settings(settings, {"forwarded_allow_ips": "me"}, Kind.FLAG)


class Aliased(FluxlitSettings):
    colour: str = "blue"
    size: int = Field(default=1, validation_alias="DESK_SIZE")
    shape: str = Field(default="round", validation_alias=AliasChoices("DESK_SHAPE", "SHAPE"))


def test_settings_of_ones_own_have_origins_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_COLOUR", "red")
    monkeypatch.setenv("DESK_SIZE", "2")
    monkeypatch.setenv("DESK_SHAPE", "long")
    settings = replace_settings(load_settings(Aliased), {"title": "New"})
    assert (settings.colour, settings.size, settings.shape) == ("red", 2, "long")
    assert settings.origin("colour") == Origin(Kind.VARIABLE, "FLUXLIT_COLOUR")
    assert settings.origin("size") == Origin(Kind.VARIABLE, "DESK_SIZE")
    assert settings.origin("shape") == Origin(Kind.VARIABLE, "DESK_SHAPE")


class Prefixed(FluxlitSettings):
    model_config = SettingsConfigDict(env_prefix="DESK_")


def test_a_prefix_of_ones_own_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_GATEWAY_PORT", "1")
    origin = load_settings(Prefixed).origin("gateway_port")
    assert origin == Origin(Kind.VARIABLE, "DESK_GATEWAY_PORT")
    monkeypatch.setenv("DESK_GATEWAY_PORT", "x")
    with pytest.raises(ConfigurationError, match=r"^DESK_GATEWAY_PORT: "):
        load_settings(Prefixed)


def test_replacing_does_not_ask_the_sources_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    monkeypatch.setenv("FLUXLIT_GATEWAY_PORT", "1")
    (tmp_path / "fluxlit.toml").write_text("gateway_prot = 2")
    assert replace_settings(settings, {"title": "New"}).gateway_port == 8000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FLUXLIT_TITLE=a", 1),
        ("# FLUXLIT_TITLE=a\n\nfluxlit_title = b", 3),
        ("FLUXLIT_TITLE=a\nFLUXLIT_TITLE=b", 2),
        ("export FLUXLIT_TITLE=a", 1),
        ("FLUXLIT_TITLES=a", 0),
        ("", 0),
    ],
)
def test_the_line_of_a_variable(text: str, line: int) -> None:
    assert dotenv_line(text, "FLUXLIT_TITLE") == line


@pytest.mark.parametrize(
    ("text", "table", "line"),
    [
        ("a = 1\ntitle = 2", "", 2),
        ('"title" = 2', "", 1),
        ("[other]\ntitle = 2", "", 0),
        ("[tool.fluxlit]\ntitle = 2", "tool.fluxlit", 2),
        ("[tool.other]\ntitle=1\n[ tool . fluxlit ]\n\ntitle=2", "tool.fluxlit", 5),
        ("x=1\n[tool.fluxlit.title]\na = 1", "tool.fluxlit", 2),
        ("[title]\na = 1", "", 1),
        ("title.a = 1", "", 1),
        ("titles = 1", "", 0),
    ],
)
def test_the_line_of_a_key(text: str, table: str, line: int) -> None:
    assert toml_line(text, "title", table) == line


def test_a_file_that_went_away_has_no_lines(tmp_path: Path) -> None:
    origin = Origin(Kind.FILE, "title", "fluxlit.toml")
    assert locate(origin, tmp_path) == origin

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit import config

from fluxlit._streamlit.options import apply_options, parse_run_args
from fluxlit.exceptions import ConfigurationError


def test_arguments_are_read_and_converted_as_streamlit_run_does() -> None:
    args = ["--server.maxUploadSize=400", "--theme.base", "dark", "--server.enableCORS", "false"]
    assert parse_run_args(args) == {
        "server.maxUploadSize": 400,
        "theme.base": "dark",
        "server.enableCORS": False,
    }


def test_streamlit_s_own_variables_count_but_cannot_move_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "7")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9999")
    assert parse_run_args([]) == {"server.maxUploadSize": 7}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--server.port=1"], "server.port, which FluxLit decides"),
        (["--server.address=0.0.0.0"], "server.address, which FluxLit decides"),
        (["--server.baseUrlPath=/x"], "server.baseUrlPath, which FluxLit decides"),
        (["--no.such=1"], "No such option"),
        (["--server.maxUploadSize=many"], "not a valid int"),
        (["--server.cookieSecret=x"], "cookieSecret"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(args: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_run_args(args)


@pytest.mark.parametrize(
    ("given", "file", "expected"),
    [
        ({}, "", False),
        ({}, "[browser]\ngatherUsageStats = true\n", True),
        ({"browser.gatherUsageStats": True}, "[browser]\ngatherUsageStats = false\n", True),
    ],
)
def test_a_preference_applies_only_where_the_user_said_nothing(
    tmp_path: Path, given: dict[str, object], file: str, expected: bool
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(file)
    apply_options(
        tmp_path / "script.py",
        fixed={"server.headless": True},
        given=given,
        preferred={"browser.gatherUsageStats": False},
        watch=False,
    )
    assert config.get_option("browser.gatherUsageStats") is expected
    assert config.get_option("server.headless") is True


def test_a_fixed_option_beats_the_user_s_file(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\nbaseUrlPath = "mine"\n')
    apply_options(
        tmp_path / "script.py",
        fixed={"server.baseUrlPath": "apps/desk"},
        given={},
        preferred={},
        watch=False,
    )
    assert config.get_option("server.baseUrlPath") == "apps/desk"

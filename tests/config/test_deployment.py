from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit.config import load_settings
from fluxlit.config.deployment import memory_limit, observe, streamlit_options

pytestmark = pytest.mark.usefixtures("no_settings")


def test_looking_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text("[server]\nport = 1\nmaxUploadSize = 5\n")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "2")
    monkeypatch.setenv("PUBLIC_BASE_URL", " https://a.example ")
    monkeypatch.setenv("FLUXLIT_INTERNAL_API_BASE", "http://b.example")
    settings = load_settings(streamlit_run_cli_args=["--theme.base", "dark", "--server.port=3"])
    seen = observe(settings, workers=2, development=True)
    assert seen.streamlit == {"serverport": "3", "servermaxuploadsize": "5", "themebase": "dark"}
    assert (seen.platform_url, seen.internal_api_base) == ("https://a.example", "http://b.example")
    assert (seen.workers, seen.ui_workers, seen.development) == (2, 1, True)
    assert seen.memory == memory_limit() > 1 << 20


def test_a_broken_streamlit_file_is_streamlits_to_report(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text("[")
    assert observe(load_settings()).streamlit == {}


def test_flags_without_a_value_are_on() -> None:
    options = streamlit_options({}, {}, ["--server.headless", "--a=1", "stray", "--b"])
    assert options == {"serverheadless": "true", "a": "1", "b": "true"}

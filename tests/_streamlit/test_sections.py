from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.runtime import app_session

from fluxlit._streamlit.sections import Sections, find_sections_quickly


def answers(ask: Any) -> dict[str, dict[str, Any]]:
    sections = sorted({option.section for option in config.get_config_options().values()})
    return {section: ask(section) for section in [*sections, "nowhere"]}


def test_it_answers_as_streamlit_does_also_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = Sections()
    assert answers(quick) == answers(config.get_options_for_section)
    before = config.get_option("theme.base")
    try:
        config.set_option("theme.base", "dark")
        assert quick("theme")["base"] == "dark"
        assert answers(quick) == answers(config.get_options_for_section)
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit/config.toml").write_text("[theme]\nbase = 'light'\n")
        monkeypatch.chdir(tmp_path)
        config.get_config_options(force_reparse=True)
        assert quick("theme")["base"] == "light"
        assert answers(quick) == answers(config.get_options_for_section)
    finally:
        monkeypatch.undo()
        config.get_config_options(force_reparse=True)
        config.set_option("theme.base", before)


def test_sessions_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "get_options_for_section"
    monkeypatch.setitem(vars(config), name, getattr(config, name))
    find_sections_quickly()
    assert isinstance(vars(app_session)["config"].get_options_for_section, Sections)

from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit.config.files import ProjectFile, read_project_file
from fluxlit.config.settings import FluxlitSettings
from fluxlit.exceptions import ConfigurationError


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_project_file(tmp_path).values == {}
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read_project_file(tmp_path).values == {}


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("gateway_prot", "did you mean 'gateway_port'?"),
        ("Gateway-Port", "did you mean 'gateway_port'?"),
        ("targt", "did you mean 'target'?"),
        ("zzzzzz", "remove it, or see the list of settings"),
    ],
)
def test_an_unknown_key_names_file_key_and_nearest(key: str, remedy: str) -> None:
    file = ProjectFile("fluxlit.toml", {key: 1})
    with pytest.raises(ConfigurationError) as caught:
        file.check_keys(FluxlitSettings.model_fields)
    assert str(caught.value) == f"fluxlit.toml: unknown key {key!r}"
    assert caught.value.remedy == remedy


def test_settings_refuse_an_unknown_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.fluxlit]\ntitel = 'x'\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml \[tool.fluxlit\]: .*'titel'"):
        FluxlitSettings()


@pytest.mark.parametrize("name", ["fluxlit.toml", "pyproject.toml"])
@pytest.mark.parametrize("text", [b"ok = 1\nbroken = = 2\n", b"ok = 1\n\xff\n"])
def test_a_broken_file_names_itself(tmp_path: Path, name: str, text: bytes) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(ConfigurationError, match=name) as caught:
        read_project_file(tmp_path)
    assert "line 2" in str(caught.value) or "position 7" in str(caught.value)


def test_a_tool_entry_that_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nfluxlit = 1\n")
    with pytest.raises(ConfigurationError, match=r"tool\.fluxlit must be a table"):
        read_project_file(tmp_path)

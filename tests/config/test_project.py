from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit.config import ProjectConfig, load_project_config, resolve_binding, resolve_target
from fluxlit.exceptions import ConfigurationError


def test_no_file_is_none(tmp_path: Path) -> None:
    assert load_project_config(tmp_path) is None


def test_the_files_words_on_starting(tmp_path: Path) -> None:
    (tmp_path / "fluxlit.toml").write_text('target = "desk:app"\ngateway_port = 0\ntitle = "x"\n')
    assert load_project_config(tmp_path) == ProjectConfig(target="desk:app", gateway_port=0)


@pytest.mark.parametrize("line", ['gateway_port = "8000"', "gateway_port = true", "target = 1"])
def test_a_value_of_a_wrong_kind(tmp_path: Path, line: str) -> None:
    (tmp_path / "fluxlit.toml").write_text(line)
    key = line.partition(" ")[0]
    with pytest.raises(ConfigurationError, match=f"fluxlit.toml: {key} must be"):
        load_project_config(tmp_path)


@pytest.mark.parametrize(
    ("flag", "file", "expected"),
    [
        ("a:b", "c:d", "a:b"),
        (None, "c:d", "c:d"),
        (" ", "c:d", "c:d"),
        (None, None, "app:app"),
        (None, " ", "app:app"),
    ],
)
def test_target(flag: str | None, file: str | None, expected: str) -> None:
    assert resolve_target(flag, ProjectConfig(target=file)) == expected
    assert resolve_target(flag or None, None) == (flag if flag and flag.strip() else "app:app")


@pytest.mark.parametrize(
    ("host", "port", "level", "expected"),
    [
        (None, None, None, ("10.0.0.1", 9000, "error")),
        ("::", 0, "debug", ("::", 0, "debug")),
    ],
)
def test_binding(
    host: str | None, port: int | None, level: str | None, expected: tuple[str, int, str]
) -> None:
    chosen = resolve_binding(
        cli_host=host,
        cli_port=port,
        cli_log_level=level,
        pc=ProjectConfig(gateway_port=7),
        settings_gateway_host="10.0.0.1",
        settings_gateway_port=9000,
        settings_log_level="error",
    )
    assert chosen == expected

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

import fluxlit
from fluxlit.cli import app, main

WIDTH = 80


def run(*arguments: str) -> tuple[int, str]:
    runner = CliRunner(env={"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1"})
    result = runner.invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", "dev", "run", "demo", "build", "shutdown"])
def test_help_fits_a_terminal_and_explains_every_option(command: str, flag: str) -> None:
    status, text = run(*filter(None, [command]), flag)
    assert status == 0
    assert max(len(line.rstrip()) for line in text.splitlines()) <= WIDTH
    assert "Usage" in text
    assert "Traceback" not in text


def test_the_options_of_run_are_those_that_were_agreed() -> None:
    _, text = run("run", "--help")
    for option in (
        "--host", "--port", "--log-level", "--proxy-headers", "--forwarded-allow-ips",
        "--pidfile", "--no-pidfile", "--debug", "--workers",
    ):  # fmt: skip
        assert option in text


def test_no_arguments_show_the_help() -> None:
    assert "Usage" in run()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--nonsense"],
        ["nonsense"],
        ["run", "--port", "http"],
        ["run", "--port", "70000"],
        ["run", "--workers", "0"],
        ["run", "--log-level", "loud"],
        ["run", "a:b", "c:d"],
        ["shutdown", "--wait", "-1"],
    ],
)
def test_a_wrong_command_line_is_status_2_without_a_traceback(arguments: list[str]) -> None:
    status, text = run(*arguments)
    assert status == 2
    assert "Traceback" not in text


def test_the_version_is_printed() -> None:
    assert run("--version") == (0, f"fluxlit {fluxlit.__version__}\n")


def test_the_face_of_the_room() -> None:
    assert callable(main)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fluxlit.cli.nothing


@pytest.mark.integration
def test_python_m_is_the_same_command() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "fluxlit", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert found.stdout == f"fluxlit {fluxlit.__version__}\n"
    assert found.stderr == ""


@pytest.mark.integration
def test_the_parent_of_a_service_imports_neither_the_api_nor_the_ui() -> None:
    code = """
import sys
from fluxlit.cli import app
from fluxlit.runtime import banner, pidfile, supervisor, targets
heavy = {"streamlit", "fastapi", "pandas", "uvicorn", "aiohttp", "httpx2"}
print(sorted(heavy & sys.modules.keys()))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert found.stdout == "[]\n"

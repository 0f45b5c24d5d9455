from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtime.harness import until
from tests.support.process import clean_environment
from typer.main import get_command
from typer.testing import CliRunner

import fluxlit
from fluxlit.cli import SERVING, app, main
from fluxlit.cli.output import Paint
from fluxlit.config.findings import Level

WIDTH = 80
SCREEN = 40


def run(*arguments: str) -> tuple[int, str]:
    runner = CliRunner(env={"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1"})
    result = runner.invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize(
    "command",
    ["", "new", "dev", "run", "ui", "workbench", "demo", "build", "reload", "shutdown", "config",
     "doctor", "pages manifest", "pages validate"],
)  # fmt: skip
def test_help_fits_a_terminal_and_explains_every_option(command: str, flag: str) -> None:
    status, text = run(*command.split(), flag)
    assert status == 0
    assert max(len(line.rstrip()) for line in text.splitlines()) <= WIDTH
    assert "Usage" in text
    assert "Traceback" not in text
    assert len(text.splitlines()) <= SCREEN
    assert ("\n  Example: " in text) is bool(command)


@pytest.mark.parametrize("group", ["", "pages"])
def test_lists_of_commands_cut_no_sentence_short(group: str) -> None:
    assert "..." not in run(*group.split(), "--help")[1].partition("Commands:")[2]


def test_the_options_of_run_are_those_that_were_agreed() -> None:
    _, text = run("run", "--help")
    for option in (
        "--host", "--port", "--log-level", "--proxy-headers", "--forwarded-allow-ips",
        "--pidfile", "--no-pidfile", "--debug", "--workers", "--ui-workers",
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
        ["run", "--ui-workers", "0"],
        ["run", "--ui-workers", "many"],
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
    status, text = run("--version")
    lines = text.splitlines()
    assert (status, lines[0]) == (0, f"fluxlit {fluxlit.__version__}")
    named = [line.split()[0] for line in lines[1:]]
    assert named == ["python", "streamlit", "fastapi", "starlette", "uvicorn", "pydantic"]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["doctr"], "doctor"),
        (["run", "--prot", "1"], "--port"),
        (["config", "--jsn"], "--json"),
        (["new", "x", "--profile", "deploi"], "deploy"),
    ],
)
def test_a_slip_of_the_finger_is_told_what_was_meant(arguments: list[str], meant: str) -> None:
    status, text = run(*arguments)
    assert status == 2
    assert meant in text


@pytest.mark.parametrize(
    ("words", "offered"),
    [("fluxlit do", "doctor"), ("fluxlit config --explain gateway_po", "gateway_port")],
)
def test_the_shell_completes(words: str, offered: str) -> None:
    environment = {
        "_FLUXLIT_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    result = CliRunner(env=environment).invoke(app, prog_name="fluxlit")
    assert offered in result.output.split()


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033" in Paint.for_stream(Terminal()).level(Level.ERROR)
    assert Paint.for_stream(io.StringIO()).level(Level.ERROR) == "FAIL"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Paint.for_stream(Terminal()).level(Level.ERROR) == "FAIL"


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
    assert found.stdout.startswith(f"fluxlit {fluxlit.__version__}\n")
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


SLEEPS = """
import time
from pathlib import Path
from fluxlit import FluxLit
Path("importing").touch()
time.sleep(60)
app = FluxLit()
"""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("config", "--strict"), signal.SIGTERM),
        (("doctor",), signal.SIGINT),
        (("pages", "validate"), signal.SIGHUP),
    ],
)
def test_a_command_that_a_signal_ends_has_not_succeeded(
    words: tuple[str, ...], number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(SLEEPS)
    with subprocess.Popen(
        [sys.executable, "-m", "fluxlit", *words],
        cwd=tmp_path, env=clean_environment({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as command:  # fmt: skip
        try:
            until((tmp_path / "importing").exists)
            command.send_signal(number)
            said, _ = command.communicate(timeout=10)
        finally:
            command.kill()
    assert (command.returncode, said) == (128 + number, b"")


def test_the_commands_that_serve_are_commands() -> None:
    assert set(getattr(get_command(app), "commands", {})) > SERVING

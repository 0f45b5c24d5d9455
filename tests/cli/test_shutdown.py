from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fluxlit.cli import app

HOLDER = """
import signal, sys
from pathlib import Path
from fluxlit.runtime.pidfile import PidFile
on_term = {"stubborn": signal.SIG_IGN, "willing": lambda *_: sys.exit(7)}
signal.signal(signal.SIGTERM, on_term[sys.argv[2]])
with PidFile(Path(sys.argv[1])):
    print("held", flush=True)
    while True:
        signal.pause()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "service.pid"


@contextmanager
def holder(path: Path, manner: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a pid file, as a service does."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), manner], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def shutdown(path: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["shutdown", "--pidfile", str(path), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_no_pid_file_is_status_2(path: Path) -> None:
    assert shutdown(path) == (2, f"No pid file at {path}\n")


@pytest.mark.parametrize("content", ["1\n", "", "hello\n", "-1\n"])
def test_a_file_that_nobody_holds_is_removed_and_nobody_is_signalled(
    path: Path, content: str
) -> None:
    path.write_text(content)
    status, text = shutdown(path)
    assert status == 0
    assert "gone already" in text
    assert not path.exists()


def test_the_environment_names_the_file_as_it_does_for_run(path: Path) -> None:
    path.write_text("1\n")
    result = CliRunner().invoke(app, ["shutdown"], env={"FLUXLIT_PIDFILE": str(path)})
    assert result.exit_code == 0
    assert not path.exists()


@pytest.mark.integration
def test_a_service_that_ends_is_status_0_and_its_file_is_gone(path: Path) -> None:
    with holder(path, "willing") as process:
        status, text = shutdown(path)
        assert (status, text) == (0, f"Stopped (pid {process.pid}).\n")
        assert process.wait(5) == 7
    assert not path.exists()


@pytest.mark.integration
def test_one_that_does_not_end_is_status_1_unless_forced(path: Path) -> None:
    with holder(path, "stubborn") as process:
        status, text = shutdown(path, "--wait", "0.2")
        assert status == 1
        assert "Still running after 0.2 s" in text
        assert "--force" in text
        assert process.poll() is None
        status, text = shutdown(path, "--wait", "0.2", "--force")
        assert (status, text) == (0, f"Killed (pid {process.pid}).\n")
        assert process.wait(5) == -9
    assert not path.exists()

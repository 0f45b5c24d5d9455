from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.cli.conftest import schema
from typer.testing import CliRunner

from fluxlit.cli import app

SERVICE = """
import signal, sys, time
from pathlib import Path
from fluxlit.exceptions import StartupError
from fluxlit.runtime.pidfile import PidFile
from fluxlit.runtime.rollout import Rollouts
from fluxlit.workers.rundir import RunDirectory

asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
home, manner = Path(sys.argv[1]), sys.argv[2]
(home / "r").mkdir()
with PidFile(home / "service.pid"), RunDirectory(home / "r") as directory:
    rollouts = Rollouts(directory.path)
    rollouts.begin()
    rollouts.done("an earlier one")
    print("held", flush=True)
    while True:
        while not asked:
            time.sleep(0.02)
        asked.clear()
        if manner == "ends":
            break
        if manner == "deaf":
            continue
        rollouts.begin()
        time.sleep(0.2)
        if manner == "willing":
            rollouts.done("gateway-0, ui-0")
        elif manner == "broken":
            rollouts.failed(StartupError("SyntaxError in app.py", remedy="correct it"))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's directory: a run directory's path may not be long.
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as folder:
        yield Path(folder)


@contextmanager
def service(home: Path, manner: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a pid file and a run directory, and reloads in its manner."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(home), manner], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def reload(home: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["reload", "--pidfile", str(home / "service.pid"), *arguments])
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        return 1, result.stdout, f"error: {error}"  # as main() prints it
    return result.exit_code, result.stdout, result.stderr


def test_no_pid_file_is_status_2_and_so_is_one_that_nobody_holds(home: Path) -> None:
    expected = (2, "", f"No service runs with the pid file {home}/service.pid\n")
    assert reload(home) == expected
    (home / "service.pid").write_text("1\n")
    assert reload(home) == expected
    assert (home / "service.pid").exists()


@pytest.mark.integration
def test_a_reload_is_told_when_it_is_done_and_each_is_awaited(home: Path) -> None:
    with service(home, "willing") as process:
        for _ in range(2):
            status, out, text = reload(home)
            assert (status, out) == (0, "")
            assert text == f"Reloaded in 0.2 s (pid {process.pid}): gateway-0, ui-0\n"
        status, out, text = reload(home, "--json")
        assert (status, text) == (0, "")
        told = json.loads(out)
        validate(told)
        assert (told["number"], told["state"], told["pid"]) == (4, "done", process.pid)
        status, _, text = reload(home, "--timeout", "0")
        assert (status, text) == (0, f"Asked (pid {process.pid}).\n")


def validate(told: Any) -> None:
    jsonschema.validate(told, schema("reload"))


@pytest.mark.integration
def test_a_new_version_that_does_not_start_is_status_1_with_its_own_error(home: Path) -> None:
    with service(home, "broken"):
        status, _, text = reload(home)
        assert status == 1
        assert "the old version serves on" in text
        assert "SyntaxError in app.py" in text
        status, out, _ = reload(home, "--json")
        told = json.loads(out)
        validate(told)
        assert (status, told["state"], told["remedy"]) == (1, "failed", "correct it")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("manner", "message"),
    [
        ("deaf", "the reload has not begun after 0.3 s"),
        ("slow", "the reload is not through after 0.3 s"),
        ("ends", "the service ended before it had taken up the new code"),
    ],
)
def test_one_that_comes_to_no_end_is_status_1(home: Path, manner: str, message: str) -> None:
    with service(home, manner):
        status, _, text = reload(home, "--timeout", "5" if manner == "ends" else "0.3")
        assert status == 1
        assert message in text

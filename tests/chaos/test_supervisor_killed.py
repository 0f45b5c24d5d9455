"""The parent of a service is killed while everybody is busy: whatever it started goes with it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.chaos.load import load
from tests.runtime.harness import APP, PIDFILE, assert_gone, get, is_ready, started, until
from tests.support.service import Service
from tests.support.tabs import Browser

pytestmark = pytest.mark.integration

STUCK = """
import re
from pathlib import Path
from typing import Any
from fluxlit import FluxLit

app = FluxLit()

@app.page("/")
def stuck(st: Any) -> None:
    Path("stuck").touch()
    # The engine of regular expressions keeps the interpreter for itself until it is through.
    re.match("(a|a)*$", "a" * 40 + "b")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def all_processes(service: Service) -> list[psutil.Process]:
    parent = psutil.Process(service.pid)
    return [parent, *parent.children(recursive=True)]


def test_nothing_of_the_service_lives_on(home: Path) -> None:
    with started("run", "--ui-workers", "2", directory=home) as service, ExitStack() as tabs:
        until(lambda: is_ready(service))
        Browser(service, tabs).open()
        with load(service.port, "/api/db", rate=200) as account:
            until(lambda: account.answered > 100)
            processes = all_processes(service)
            assert len(processes) >= 4
            os.kill(service.pid, signal.SIGKILL)
            assert service.wait(seconds=1) == -signal.SIGKILL
            assert_gone(processes, seconds=3)
        # The last who went has cleared up, so far as that is not the next start's.
        assert list(service.run_root.iterdir()) == []
        assert (home / PIDFILE).exists()


def test_a_page_that_lets_nobody_else_run_goes_too(home: Path) -> None:
    (home / "app.py").write_text(STUCK)
    with started("run", directory=home) as service, ExitStack() as tabs:
        until(lambda: is_ready(service))
        Browser(service, tabs).begin()
        until((home / "stuck").exists)
        assert get(service, "/api/healthz")[0] == 200
        processes = all_processes(service)
        os.kill(service.pid, signal.SIGKILL)
        assert_gone(processes, seconds=3)

"""``fluxlit run`` as process 1, in a process namespace of its own as a container has."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import get, is_ready, leftovers, started, until
from tests.support.service import FLUXLIT, Service

pytestmark = pytest.mark.integration

APP = """
import asyncio, subprocess
from pathlib import Path
from fluxlit import FluxLit

app = FluxLit()

@app.api.get("/orphan")
def orphan() -> None:
    waits = "while [ ! -e orphan-may-end ]; do sleep 0.05; done"
    subprocess.run(["/bin/sh", "-c", f"({waits}) & true"], check=True)

@app.api.get("/slow")
async def slow() -> str:
    Path("slow-begun").touch()
    await asyncio.sleep(1)
    return "done"
"""


@contextmanager
def contained(home: Path, *arguments: str) -> Iterator[Service]:
    """``fluxlit`` as process 1; the service's own process is that of unshare, outside."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    into = ["unshare", *rights, "--fork", "--pid", "--mount-proc", "--kill-child", FLUXLIT]
    with started(*arguments, directory=home, program=into) as service:
        yield service


def first(service: Service) -> psutil.Process:
    """Process 1, by its number out here."""
    (child,) = psutil.Process(service.pid).children()
    return child


def orphans(service: Service) -> list[psutil.Process]:
    """Those that process 1 has got from the app."""
    found = []
    for child in first(service).children():
        with suppress(psutil.NoSuchProcess):
            if "orphan-may-end" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_it_collects_orphans_drains_on_sigterm_and_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    answers: list[tuple[int, str]] = []
    with contained(tmp_path, "run") as service:
        until(lambda: is_ready(service))
        supervisor = first(service).children()
        assert len(supervisor) == 1
        get(service, "/api/orphan")
        (orphan,) = orphans(service)
        (tmp_path / "orphan-may-end").touch()
        until(lambda: not psutil.pid_exists(orphan.pid), what="the orphan was collected")
        slow = threading.Thread(target=lambda: answers.append(get(service, "/api/slow")))
        slow.start()
        until((tmp_path / "slow-begun").exists)
        first(service).send_signal(signal.SIGTERM)
        assert service.wait(seconds=15) == 0, service.output()
        slow.join(5)
        assert answers == [(200, '"done"')]
        assert leftovers(service, tmp_path) == []
        assert "Traceback" not in service.output()


def test_an_exit_status_passes_through(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise RuntimeError('broken')\n")
    with contained(tmp_path, "run") as service:
        assert service.wait(seconds=30) == 1
        assert service.output().count("error: cannot import 'app:app'") == 1


def test_a_service_that_is_killed_is_told_as_a_shell_does(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with contained(tmp_path, "run") as service:
        until(lambda: is_ready(service))
        (supervisor,) = first(service).children()
        supervisor.kill()
        assert service.wait(seconds=10) == 128 + signal.SIGKILL

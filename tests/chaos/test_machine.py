"""A machine that has no room left: on its disk, for descriptors, for the port."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.chaos.load import load
from tests.runtime.harness import APP, PIDFILE, ask, get, is_ready, started, until, workers
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT, running
from tests.support.tabs import Browser
from websockets.exceptions import WebSocketException

from fluxlit.workers.descriptors import ENOUGH

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small file system in memory, with room for a service and little more."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    with tempfile.TemporaryDirectory(prefix="fluxlit-disk-") as folder:
        options = "size=512k,nr_inodes=64,mode=0700"
        mount = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
        subprocess.run(mount, check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that there is."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 1024)
    return ballast


def take_names(disk: Path) -> list[Path]:
    """Make as many files as the file system can have."""
    made = []
    with contextlib.suppress(OSError):
        while True:
            made.append(disk / secrets.token_hex(4))
            made[-1].touch()
    return made


def fails_to_start(home: Path, *arguments: str, run_directory: Path) -> str:
    """Start a service that cannot; return its one error."""
    environment = {"FLUXLIT_RUN_DIR": str(run_directory)}
    process = ServerProcess(
        [FLUXLIT, "run", *arguments], directory=home, log=home / "log", environment=environment
    )
    assert process.wait(seconds=30) == 1, process.output()
    output = process.output()
    process.log.unlink()
    assert output.count("error:") == 1, output
    assert output.count("  try: ") == 1, output
    assert "Traceback" not in output
    return output.partition("error: ")[2]


def starts(home: Path, *arguments: str, run_directory: Path) -> None:
    environment = {"FLUXLIT_RUN_DIR": str(run_directory)}
    with started("run", *arguments, directory=home, environment=environment) as service:
        until(lambda: is_ready(service))
        service.stop(signal.SIGTERM)


def test_a_full_disk_is_said_at_the_start_and_nothing_is_left_on_it(home: Path, disk: Path) -> None:
    ballast = fill(disk)
    message = fails_to_start(home, run_directory=disk)
    assert "cannot write in the run directory" in message
    assert "No space left on device" in message
    assert "FLUXLIT_RUN_DIR" in message
    assert list(disk.iterdir()) == [ballast]
    # Room for the lock, but not for all tables: an error, not a bus error when one is touched.
    os.truncate(ballast, ballast.stat().st_size - 3 * 4096)
    assert "No space left on device" in fails_to_start(home, run_directory=disk)
    fill(disk)
    assert not (home / PIDFILE).exists()
    pidfile = disk / "service.pid"
    message = fails_to_start(home, "--pidfile", str(pidfile), run_directory=home / "r")
    assert f"cannot write the pid file {pidfile}: No space left on device" in message
    assert not pidfile.exists()
    ballast.unlink()
    starts(home, "--pidfile", str(pidfile), run_directory=disk)
    assert list(disk.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_said_at_the_start(home: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    message = fails_to_start(home, run_directory=disk)
    assert f"cannot write in the run directory {disk}: Read-only file system" in message


def test_a_disk_that_fills_up_costs_no_request_and_a_worker_only_until_there_is_room(
    home: Path, disk: Path
) -> None:
    environment = {"FLUXLIT_RUN_DIR": str(disk)}
    with started("run", directory=home, environment=environment) as service:
        until(lambda: is_ready(service))
        with load(service.port, "/api/db", rate=50) as account:
            ballast = fill(disk)
            workers(service)["ui"].kill()
            until(lambda: not list(disk.glob("*/ui-*")), what="what it had is removed")
            files = take_names(disk)
            service.wait_until_said("No space left on device")
            assert get(service, "/api/readyz")[0] == 503
            for path in (ballast, *files):
                path.unlink(missing_ok=True)
            until(lambda: is_ready(service), what="it has recovered")
        assert account.failures == []
        service.stop(signal.SIGTERM)
        assert list(disk.iterdir()) == []


def test_a_port_in_use_is_said_and_can_be_had_when_it_is_free(home: Path) -> None:
    host = "127.0.0.77"  # of its own, where nobody else takes the port meanwhile
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as runs:
        with socket.create_server((host, 0)) as taken:
            port = taken.getsockname()[1]
            command = ("run", "--host", host, "--port", str(port))
            said = fails_to_start(home, *command[1:], run_directory=Path(runs, "r"))
            assert f"port {port} on {host} is already in use" in said
            assert "--port" in said
            assert list(Path(runs, "r").iterdir()) == []
        process = ServerProcess(
            [FLUXLIT, *command],
            directory=home,
            log=home / "log",
            environment={"FLUXLIT_RUN_DIR": f"{runs}/r"},
        )
        try:
            process.wait_until_ready([Probe(port, "/api/readyz", host)])
            process.stop(signal.SIGTERM)
        finally:
            process.kill()


def test_a_flood_of_connections_is_survived(home: Path) -> None:
    """The gateway worker runs out of descriptors; when the flood ends, it serves again."""
    with running("run", directory=home) as service, ExitStack() as flood:
        gateway = workers(service)["gateway"]
        room = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir())) + 30
        gateway.rlimit(resource.RLIMIT_NOFILE, (room, room))
        for _ in range(100):
            flood.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=5))
        service.wait_until_said("cannot accept connections")
        used = gateway.cpu_times().user
        assert psutil.Process(service.pid).is_running()
        flood.close()
        until(lambda: is_ready(service), what="it serves again")
        assert ask(service, "/api/db") == "sqlite"
        assert gateway.cpu_times().user - used < 2  # it has waited, and not tried in a circle
        assert workers(service)["gateway"].pid == gateway.pid


def test_a_supervisor_without_descriptors_replaces_a_worker_when_there_are_some(
    home: Path,
) -> None:
    with running("run", directory=home) as service:
        supervisor = psutil.Process(service.pid)
        before = supervisor.rlimit(resource.RLIMIT_NOFILE)
        with load(service.port, "/api/db", rate=50) as account:
            supervisor.rlimit(resource.RLIMIT_NOFILE, (4, before[1]))
            workers(service)["ui"].kill()
            service.wait_until_said("Too many open files")
            supervisor.rlimit(resource.RLIMIT_NOFILE, (256, before[1]))
            until(lambda: is_ready(service), what="it has recovered")
        assert account.failures == []
        # A worker takes for itself what its user may have.
        limit = workers(service)["ui"].rlimit(resource.RLIMIT_NOFILE)
        assert limit == (min(before[1], ENOUGH), before[1])
        assert "Traceback" not in service.output()


def test_two_services_of_one_folder_do_not_touch_each_other(home: Path) -> None:
    """What belongs to one that lives is respected by another that starts and ends."""
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as runs:
        environment = {"FLUXLIT_RUN_DIR": runs}
        with started("run", directory=home, environment=environment) as one:
            until(lambda: is_ready(one))
            (directory,) = Path(runs).iterdir()
            said = fails_to_start(home, run_directory=Path(runs))
            assert "is already running" in said
            starts(home, "--no-pidfile", run_directory=Path(runs))
            assert list(Path(runs).iterdir()) == [directory]
            assert (home / PIDFILE).read_text() == f"{one.pid}\n"
            assert is_ready(one)
            one.stop(signal.SIGTERM)
        assert list(Path(runs).iterdir()) == []


def test_a_ui_worker_without_descriptors_serves_again_when_there_are_some(home: Path) -> None:
    with running("run", directory=home) as service, ExitStack() as tabs:
        browser = Browser(service, tabs)
        first = browser.open()
        ui = workers(service)["ui"]
        before = ui.rlimit(resource.RLIMIT_NOFILE)
        room = len(list(Path(f"/proc/{ui.pid}/fd").iterdir())) + 4
        ui.rlimit(resource.RLIMIT_NOFILE, (room, before[1]))
        for _ in range(8):
            with contextlib.suppress(WebSocketException, OSError):
                browser.connect("Agent", first.cookies)
        service.wait_until_said("Too many open files")
        assert ask(service, "/api/db") == "sqlite"  # the API knows nothing of it
        ui.rlimit(resource.RLIMIT_NOFILE, before)
        until(lambda: is_ready(service), what="the UI answers again")
        browser.open()
        assert workers(service)["ui"].pid == ui.pid

"""One running service, looked at from all sides and hurt; the tests share it, in this order."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import APP, PIDFILE, ask, get, is_ready, until, workers
from tests.support.service import FLUXLIT, Service, running
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("home")
    (directory / "app.py").write_text(APP)
    return directory


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Service]:
    with running("run", directory=home) as service:
        yield service


def test_there_is_one_parent_with_one_worker_of_each_kind(service: Service) -> None:
    def children() -> int:
        return len(psutil.Process(service.pid).children(recursive=True))

    assert sorted(workers(service)) == ["gateway", "ui"]
    until(lambda: children() == 3, what="one that waits to become a gateway worker")
    assert service.output().count("Probe is ready in") == 1


def test_the_lifespans_state_reaches_requests(service: Service) -> None:
    assert ask(service, "/api/db") == "sqlite"


def test_the_pid_file_names_the_parent(service: Service, home: Path) -> None:
    assert (home / PIDFILE).read_text() == f"{service.pid}\n"


def test_a_second_service_with_the_same_pid_file_is_refused(service: Service, home: Path) -> None:
    second = subprocess.run(
        [FLUXLIT, "run", "--port", "0"],
        cwd=home,
        env={**os.environ, "FLUXLIT_RUN_DIR": str(service.run_root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert "fluxlit shutdown" in second.stderr
    assert "Traceback" not in second.stderr
    assert is_ready(service)


def test_no_command_line_or_environment_holds_the_secret(service: Service) -> None:
    """The secret is 64 hexadecimal digits; nothing of that form may be seen from outside."""
    for child in workers(service).values():
        seen = [*child.cmdline(), *child.environ().values()]
        assert not [
            word for word in seen if len(word) >= 64 and not set(word) - set("0123456789abcdef")
        ]
        assert child.cmdline()[1:4] == ["-P", "-m", f"fluxlit.runtime._entry.{_kind(child)}"]


def _kind(process: psutil.Process) -> str:
    return "ui" if "_entry.ui" in " ".join(process.cmdline()) else "gateway"


def open_files(pid: int) -> Iterator[str]:
    """Name what a process has open; what it closes meanwhile is passed over."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield str(link.readlink())


def test_a_process_that_a_route_starts_holds_none_of_our_sockets(
    service: Service, home: Path
) -> None:
    get(service, "/api/spawn")
    spawned = psutil.Process(int((home / "spawned").read_text()))
    try:
        links = list(open_files(spawned.pid))
        assert links
        assert not [link for link in links if link.startswith("socket:")]
    finally:
        spawned.kill()


def test_an_idle_service_uses_next_to_no_cpu(service: Service) -> None:
    processes = [psutil.Process(service.pid), *workers(service).values()]

    def used() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    # What the start has left to do, such as the idle collection, is done within a few windows.
    seconds = 2.0
    spent: list[float] = []
    while len(spent) < 6 and (not spent or spent[-1] > 0.03 * seconds):
        before = used()
        psutil.cpu_percent(interval=seconds)
        spent.append(used() - before)
    assert spent[-1] <= 0.03 * seconds, spent


@pytest.mark.parametrize("kind", ["ui", "gateway"])
def test_a_worker_that_is_killed_is_replaced(service: Service, kind: str) -> None:
    before = workers(service)
    before[kind].kill()
    until(lambda: workers(service).get(kind, before[kind]).pid != before[kind].pid)
    until(lambda: is_ready(service), what=f"ready again after the {kind} worker died")
    after = workers(service)
    assert len(after) == 2
    said = f"{kind}-0, pid {before[kind].pid}, ended unexpectedly (signal 9)"
    assert said in service.output()
    other = {"ui": "gateway", "gateway": "ui"}[kind]
    assert after[other].pid == before[other].pid
    assert ask(service, "/api/db") == "sqlite"


def test_a_refused_websocket_is_no_error_of_the_server(service: Service) -> None:
    address = f"ws://127.0.0.1:{service.port}/_stcore/stream"
    with (
        pytest.raises(InvalidStatus, match="403"),
        connect(address, origin=Origin("https://evil.example"), proxy=None),
    ):
        pass
    assert get(service, "/api/db")[0] == 200
    assert "without completing handshake" not in service.output()


def test_nothing_printed_is_a_traceback_of_ours(service: Service) -> None:
    assert "Traceback" not in service.output()


def test_shutdown_ends_it(service: Service, home: Path) -> None:
    done = subprocess.run(
        [FLUXLIT, "shutdown", "--wait", "20"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, f"Stopped (pid {service.pid}).\n")
    assert service.wait(seconds=5) == 0
    assert (home / "api-stopped").exists()
    assert not (home / PIDFILE).exists()

"""A whole service as a service manager runs it: told of its states, given its sockets."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import APP
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT

pytestmark = pytest.mark.integration

ACTIVATE = """
import os, sys
count = int(sys.argv[1])
given = [int(number) for number in sys.argv[2 : 2 + count]]
for place, number in enumerate(given):
    os.dup2(number, 3 + place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES="web:local")
os.execv(sys.argv[2 + count], sys.argv[2 + count :])
"""
"""What the manager does between fork and exec; the sockets have numbers far from 3."""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's directory: the path of a Unix socket may be 103 bytes long at most.
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as folder:
        (Path(folder) / "app.py").write_text(APP)
        yield Path(folder)


class Manager:
    """As much of a service manager as a service sees."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(home / "notify"))
        self.beats = 0
        self._messages: queue.Queue[str] = queue.Queue()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        self.web = socket.create_server(("127.0.0.1", 0))
        self.local = socket.socket(socket.AF_UNIX)
        self.local.bind(str(home / "local.sock"))
        self.local.listen()
        self.port: int = self.web.getsockname()[1]

    def start(self, *arguments: str) -> ServerProcess:
        high = [os.dup(sock.fileno()) for sock in (self.web, self.local)]
        high = [_moved_up(number) for number in high]
        numbers = [str(number) for number in high]
        command = [sys.executable, "-c", ACTIVATE, "2", *numbers, FLUXLIT, "run", *arguments]
        environment = {
            "FLUXLIT_RUN_DIR": str(self.home / "r"),
            "NOTIFY_SOCKET": str(self.home / "notify"),
            "WATCHDOG_USEC": "1000000",
        }
        process = ServerProcess(
            command,
            directory=self.home,
            log=self.home / "log",
            environment=environment,
            pass_fds=high,
        )
        for number in high:
            os.close(number)
        return process

    def told(self) -> list[str]:
        """The next message that is more than a sign of life."""
        return self._messages.get(timeout=60).split("\n")

    def _read(self) -> None:
        while (message := self.notified.recv(4096)) != b"enough":
            if message == b"WATCHDOG=1":
                self.beats += 1
            else:
                self._messages.put(message.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"enough", self.notified.getsockname())
        self._reading.join(5)
        for sock in (self.notified, self.web, self.local):
            sock.close()


def _moved_up(number: int) -> int:
    high = fcntl.fcntl(number, fcntl.F_DUPFD, 20)
    os.close(number)
    return high


@pytest.fixture
def manager(home: Path) -> Iterator[Manager]:
    manager = Manager(home)
    yield manager
    manager.close()


def over_unix(path: Path, target: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def reload(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``fluxlit reload`` where the pid file is; it finds the run directory by itself."""
    command = [FLUXLIT, "reload", "--timeout", "60", *options]
    return subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=90, check=False
    )


def test_it_serves_on_given_sockets_and_tells_each_state(home: Path, manager: Manager) -> None:
    process = manager.start("--port", "1")  # whatever settings say, the given sockets are it
    try:
        see_start(process, home, manager)
        see_reloads(process, home, manager)
        os.kill(process.pid, signal.SIGTERM)
        assert manager.told()[0] == "STOPPING=1"
        assert process.wait(seconds=15) == 0, process.output()
        assert manager.beats > 3
        # The sockets are the manager's: they stay, and connections wait for the next start.
        assert (home / "local.sock").exists()
        socket.create_connection(("127.0.0.1", manager.port), timeout=5).close()
        assert list((home / "r").iterdir()) == []
    finally:
        process.kill()


def see_start(process: ServerProcess, home: Path, manager: Manager) -> None:
    assert manager.told() == ["READY=1", f"STATUS=serving at http://127.0.0.1:{manager.port}"]
    process.wait_until_ready([Probe(manager.port, "/api/readyz"), Probe(manager.port, "/")])
    assert over_unix(home / "local.sock", "/api/db") == (200, b'"sqlite"')
    assert over_unix(home / "local.sock", "/")[0] == 200
    for child in psutil.Process(process.pid).children(recursive=True):
        names = child.environ().keys()
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID"} & names


def see_reloads(process: ServerProcess, home: Path, manager: Manager) -> None:
    os.kill(process.pid, signal.SIGHUP)  # as systemctl reload does, with Type=notify-reload
    assert see_reload(manager).startswith("STATUS=serving the code loaded at ")
    assert Probe(manager.port, "/api/db").answers()
    (home / "app.py").write_text("x = (")
    failed = reload(home)
    assert failed.returncode == 1
    assert "the old version serves on" in failed.stderr
    assert "SyntaxError: '(' was never closed" in failed.stderr
    assert "SyntaxError" in see_reload(manager)
    (home / "app.py").write_text(APP.replace("request.state.db", "'reloaded'"))
    done = reload(home, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["message"]) == ("done", "gateway-0, ui-0")
    assert over_unix(home / "local.sock", "/api/db") == (200, b'"reloaded"')
    see_reload(manager)


def see_reload(manager: Manager) -> str:
    """Hear that one begins and is over; return the status at its end."""
    begun, since, _ = manager.told()
    assert begun == "RELOADING=1"
    assert since.startswith("MONOTONIC_USEC=")
    ready, status = manager.told()
    assert ready == "READY=1"
    return status


def test_a_socket_that_is_none_ends_the_start_with_the_way_out(
    manager: Manager,
) -> None:
    manager.local.close()
    manager.local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    process = manager.start()
    assert process.wait(seconds=30) == 1
    assert "error: file descriptor 4 (local) is no listening TCP or Unix socket" in process.output()
    assert "ListenStream=" in process.output()
    assert "Traceback" not in process.output()

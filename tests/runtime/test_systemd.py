from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.runtime import systemd
from fluxlit.runtime.systemd import PATIENCE, Notifier, activated_sockets


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def told(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_each_state_is_told_as_the_protocol_wants_it(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "PATH": "/bin"}
    notifier = Notifier.from_environment(environ)
    assert environ == {"PATH": "/bin"}
    notifier.ready("serving\nat http://x")
    assert told(manager) == ["READY=1", "STATUS=serving at http://x"]
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    word, when, status = told(manager)
    assert (word, status) == ("RELOADING=1", "STATUS=reloading")
    assert re.fullmatch(r"MONOTONIC_USEC=\d+", when)
    assert before <= int(when.partition("=")[2]) <= time.monotonic_ns() // 1000
    notifier.stopping()
    assert told(manager) == ["STOPPING=1", "STATUS=stopping"]


def test_an_abstract_name_is_found() -> None:
    name = f"\0fluxlit-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(5)
        Notifier(f"@{name[1:]}").stopping()
        assert told(manager)[0] == "STOPPING=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "vsock:2:1234", "x" * 200, "@"])
def test_a_manager_that_cannot_be_reached_fails_nothing(address: str) -> None:
    Notifier(address).ready("serving")


def test_a_manager_that_does_not_read_stops_nothing(manager: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        others.setblocking(False)
        with pytest.raises(BlockingIOError):
            fill(others, manager)
    started = time.monotonic()
    Notifier(manager.getsockname()).ready("serving")
    assert PATIENCE <= time.monotonic() - started < PATIENCE + 2


def fill(others: socket.socket, manager: socket.socket) -> None:
    while True:
        others.sendto(b"STATUS=mine", manager.getsockname())


def test_a_manager_that_is_busy_hears_it_all_the_same(manager: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        others.setblocking(False)
        with pytest.raises(BlockingIOError):
            fill(others, manager)
    telling = threading.Thread(target=Notifier(manager.getsockname()).stopping)
    telling.start()
    while told(manager)[0] != "STOPPING=1":
        pass
    telling.join()


@pytest.mark.parametrize(
    ("environ", "alive"),
    [
        ({"WATCHDOG_USEC": "40000"}, True),
        ({"WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({}, False),
    ],
)
def test_signs_of_life_come_at_half_the_interval(
    manager: socket.socket, environ: dict[str, str], alive: bool
) -> None:
    environ["NOTIFY_SOCKET"] = manager.getsockname()
    notifier = Notifier.from_environment(environ)
    assert environ == {}

    async def main() -> float:
        started = time.monotonic()
        beating = asyncio.ensure_future(notifier.keep_alive())
        if not alive:
            await asyncio.wait_for(beating, 1)
            return 0.0
        manager.setblocking(False)
        for _ in range(3):
            beat = await asyncio.get_running_loop().sock_recv(manager, 100)
            assert beat == b"WATCHDOG=1"
        beating.cancel()
        return time.monotonic() - started

    assert asyncio.run(main()) >= (0.039 if alive else 0.0)


def activation(count: int, *, names: str = "", pid: int | None = None) -> dict[str, str]:
    found = {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": str(count), "PATH": "/bin"}
    return {**found, "LISTEN_FDNAMES": names} if names else found


def test_sockets_for_another_process_are_left_alone() -> None:
    environ = activation(1, pid=1)
    assert activated_sockets(environ) == []
    assert environ == {"PATH": "/bin"}
    assert activated_sockets({}) == []
    assert activated_sockets(activation(0)) == []


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_a_listening_socket_is_taken_and_kept_from_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: socket.AddressFamily
) -> None:
    addresses = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0)}
    with socket.socket(family) as given:
        given.bind(addresses.get(family, str(tmp_path / "s")))
        given.listen()
        copy = os.dup(given.fileno())
        os.set_inheritable(copy, True)
        monkeypatch.setattr(systemd, "FIRST_DESCRIPTOR", copy)
        environ = activation(1)
        (taken,) = activated_sockets(environ)
        with closing(taken):
            assert environ == {"PATH": "/bin"}
            assert taken.getsockname() == given.getsockname()
            assert not taken.getblocking()
            assert not os.get_inheritable(copy)


@pytest.mark.parametrize("kind", ["datagram", "connected", "pipe", "closed"])
def test_anything_else_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    connected, other = socket.socketpair()
    with (
        connected,
        other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        Path("/dev/null").open("rb") as file,
    ):
        kinds = {"datagram": datagram.fileno(), "connected": connected.fileno()}
        passed = os.dup(kinds.get(kind, file.fileno()))
        if kind == "closed":
            os.close(passed)
        monkeypatch.setattr(systemd, "FIRST_DESCRIPTOR", passed)
        with pytest.raises(StartupError, match=r"\(web\) is no listening TCP or Unix socket"):
            activated_sockets(activation(1, names="web"))
        if kind == "pipe":
            os.close(passed)

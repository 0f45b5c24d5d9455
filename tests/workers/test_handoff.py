"""Two real servers: one decides and hands over, the other is the worker that takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.support.servers import LOOPS, Running, handshake, receive_all, receive_until, until
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from fluxlit._types import HANDOFF, Receive, Scope, Send
from fluxlit.exceptions import HandoffError
from fluxlit.workers.adoption import HandoffListener, PageProtocol
from fluxlit.workers.handoff import MAX_PACKET, TAKEN, HandoffProtocol, give
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.sockets import bind_tcp, bind_unix
from fluxlit.workers.traffic import Counted, Traffic

pytestmark = pytest.mark.integration

EARLY = b"early bird"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Greet with a header that only the deciding app can have added, then echo."""
    headers = dict(scope["headers"])
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": headers.get(b"x-decided", b"").decode()})
    while (message := await receive())["type"] == "websocket.receive":
        data = {key: message[key] for key in ("bytes", "text") if message.get(key) is not None}
        await send({"type": "websocket.send", **data})


class Decides:
    """Hands every WebSocket over, and echoes itself where that fails."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.asked = threading.Event()
        self.errors: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert HANDOFF in scope["extensions"]
        self.asked.set()
        lines = [b"%b: %b" % item for item in [*scope["headers"], (b"x-decided", b"yes")]]
        head = b"\r\n".join([b"GET /ws HTTP/1.1", *lines]) + b"\r\n\r\n"
        try:
            await send({"type": HANDOFF, "socket": self._path, "head": head})
        except HandoffError as error:
            self.errors.append(str(error))
            await echo(scope, receive, send)


class Impatient(HandoffProtocol):
    """A gateway that waits less long, so that the tests need not."""

    answer_within = 0.2


class House:
    """Both servers."""

    def __init__(
        self, folder: Path, loop: str = "auto", ws: type[HandoffProtocol] = HandoffProtocol
    ) -> None:
        self.path = str(folder / "worker.give")
        self.decides = Decides(self.path)
        self.traffic = Traffic()
        self.worker: Running | None = None
        self._folder = folder
        self._loop = loop
        listener = bind_tcp("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.front = Running(self.decides, listener, ws=ws, loop=loop)

    def start_worker(self, **config: Any) -> Running:
        self.worker = Running(
            Counted(echo, self.traffic),
            bind_unix(str(self._folder / "worker.sock")),
            ws=PageProtocol,
            jobs=lambda server: [HandoffListener(self.path, server, self.traffic).run],
            loop=self._loop,
            **config,
        )
        return self.worker

    def connect(self) -> Any:
        return connect(f"ws://127.0.0.1:{self.port}/ws", max_size=None, proxy=None)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self) -> None:
        self.front.stop()
        if self.worker is not None:
            self.worker.stop()


class OpenHouse(Protocol):
    def __call__(
        self, loop: str = "auto", ws: type[HandoffProtocol] = HandoffProtocol
    ) -> House: ...


@pytest.fixture
def open_house() -> Iterator[OpenHouse]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:

        def build(loop: str = "auto", ws: type[HandoffProtocol] = HandoffProtocol) -> House:
            built = House(Path(folder), loop, ws)
            stack.callback(built.stop)
            return built

        yield build


@pytest.fixture
def house(open_house: OpenHouse) -> House:
    return open_house()


def frame(data: bytes) -> bytes:
    return Frame(Opcode.BINARY, data).serialize(mask=True)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_worker_serves_the_browser_and_the_gateway_s_end_is_not_noticed(
    open_house: OpenHouse, loop: str
) -> None:
    house = open_house(loop)
    house.start_worker()
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        house.front.wait_until_idle()
        house.front.stop()
        browser.send("still here")
        assert browser.recv(5) == "still here"
        browser.send(os.urandom(3_000_000))
        assert len(browser.recv(10)) == 3_000_000
    assert house.decides.errors == []


def test_the_worker_counts_what_it_serves(house: House) -> None:
    house.start_worker()
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        browser.send(b"12345")
        assert browser.recv(5) == b"12345"
        assert (house.traffic.taken, house.traffic.sockets) == (1, 1)
        assert (house.traffic.received, house.traffic.bytes_received) == (1, 5)
        assert (house.traffic.sent, house.traffic.bytes_sent) == (2, 8)
    until(lambda: house.traffic.sockets == 0, "a closed WebSocket still counts")


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_sent_right_behind_a_request_arrives_wherever_it_is_split(
    open_house: OpenHouse, loop: str
) -> None:
    """Each connection gets its bytes in two pieces, the first one byte longer than the last's."""
    house = open_house(loop)
    house.start_worker()
    data = handshake() + frame(EARLY) + frame(b"second")
    for split in range(1, len(data)):
        with house.raw() as browser:
            browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            browser.sendall(data[:split])
            browser.sendall(data[split:])
            received = receive_until(browser, b"second")
            assert received.count(b"HTTP/1.1 101") == 1, split
            assert received.endswith(b"yes\x82\x0a" + EARLY + b"\x82\x06second"), split
    assert house.decides.errors == []
    assert house.traffic.taken == len(data) - 1


def test_a_request_in_front_of_the_handshake_does_not_hide_what_is_behind(house: House) -> None:
    """The end of a head is where the parser says, not where the first blank line is."""

    async def decides(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await house.decides(scope, receive, send)
            return
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    house.start_worker()
    house.front.server.config.loaded_app = decides
    first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\na\r\n\r\nb\r\n"
    with house.raw() as browser:
        browser.sendall(first)
        assert receive_until(browser, b"\r\n\r\n").startswith(b"HTTP/1.1 204")
        browser.sendall(b"\r\n\r\n" + handshake() + frame(EARLY))
        assert receive_until(browser, EARLY).endswith(EARLY)
    assert house.traffic.taken == 1


@pytest.mark.parametrize("size", [9_000, 60 * 1024])
def test_a_large_head_and_what_follows_it_are_handed_over(house: House, size: int) -> None:
    house.start_worker(limits=ConnectionLimits(max_head_bytes=70 * 1024))
    with house.raw() as browser:
        browser.sendall(handshake(b"Cookie: " + b"c" * size) + frame(EARLY))
        assert receive_until(browser, EARLY).endswith(EARLY)
    assert (house.decides.errors, house.traffic.taken) == ([], 1)


def test_without_a_worker_the_app_is_told_and_loses_nothing_either(house: House) -> None:
    with house.raw() as browser:
        browser.sendall(handshake() + frame(EARLY))
        assert receive_until(browser, EARLY).endswith(EARLY)
    assert len(house.decides.errors) == 1
    assert "did not take the socket" in house.decides.errors[0]


def test_a_name_without_a_listener_is_a_failed_hand_over(house: House) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(house.path)
    with house.connect() as browser:
        assert browser.recv(5) == ""
    assert "ConnectionRefusedError" in house.decides.errors[0]


def test_a_worker_that_hangs_up_without_a_word_has_refused(house: House) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as deaf:
        deaf.bind(house.path)
        deaf.listen()

        def hang_up() -> None:
            deaf.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with house.connect() as browser:
            assert browser.recv(5) == ""  # the deciding app's own greeting
    assert len(house.decides.errors) == 1


def test_a_worker_whose_loop_is_busy_does_not_serve_what_the_gateway_took_back(
    open_house: OpenHouse,
) -> None:
    house = open_house(ws=Impatient)
    worker = house.start_worker()
    awake = threading.Event()
    asleep = threading.Event()

    def sleep() -> None:
        asleep.set()
        awake.wait(10)

    worker.in_loop(sleep)
    assert asleep.wait(5)
    with house.connect() as browser:
        assert browser.recv(5) == ""  # the gateway serves it, after it has waited
        awake.set()
        house_is_quiet(house)
        browser.send("who is there")
        assert browser.recv(5) == "who is there"
        with pytest.raises(TimeoutError):
            browser.recv(0.1)
    assert len(house.decides.errors) == 1
    assert (house.traffic.taken, worker.connections) == (0, 0)
    with house.connect() as browser:  # and the next one is handed over again
        assert browser.recv(5) == "yes"


def house_is_quiet(house: House) -> None:
    """Wait until the worker has gone through all that waited for it."""
    assert house.worker is not None
    turns: list[None] = []
    for count in range(5):
        house.worker.in_loop(turns.append, None)
        until(partial(reached, turns, count + 1), "the worker's loop stands still")


def reached(turns: list[None], count: int) -> bool:
    return len(turns) >= count


def test_an_answer_that_came_as_the_gateway_gave_up_counts() -> None:
    """The worker says "taken", and the gateway looks only after its time is over."""

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/w.give"
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
            socket.socket() as browser,
        ):
            listener.bind(path)
            listener.listen()
            taken: list[socket.socket] = []

            async def worker_in_the_last_moment() -> None:
                giving = asyncio.create_task(give(path, b"head", browser.fileno(), within=0.05))
                await asyncio.sleep(0)  # it has connected and sent
                line, _ = listener.accept()
                line.send(TAKEN)
                taken.append(line)
                time.sleep(0.1)  # noqa: ASYNC251 - the gateway's loop is late, not the worker
                await giving

            asyncio.run(worker_in_the_last_moment())
            taken[0].close()


def test_once_the_gateway_has_given_up_the_worker_cannot_say_taken() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        socket.socket() as browser,
    ):
        path = f"{folder}/w.give"
        listener.bind(path)
        listener.listen()
        with pytest.raises(HandoffError, match="refused"):
            asyncio.run(give(path, b"head", browser.fileno(), within=0.05))
        with listener.accept()[0] as line, pytest.raises(BrokenPipeError):
            line.send(TAKEN)


def test_a_gateway_that_ends_in_the_middle_says_nothing_to_the_browser(house: House) -> None:
    """Its server is asked to end while the worker may be about to answer the browser."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as slow,
        house.raw() as browser,
    ):
        slow.bind(house.path)
        slow.listen()
        browser.sendall(handshake())
        with slow.accept()[0] as line:
            _, (descriptor,), _, _ = socket.recv_fds(line, MAX_PACKET, 1)
            house.front.server.drain()
            until(lambda: refuses_connections(house.port), "the gateway does not end")
            line.send(TAKEN)
            house.front.stop()
            with socket.socket(fileno=descriptor) as taken:
                taken.sendall(b"mine alone")
            assert receive_all(browser) == b"mine alone"


def refuses_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_worker_that_ends_takes_no_more(house: House) -> None:
    worker = house.start_worker()
    with house.connect() as held:
        assert held.recv(5) == "yes"
        worker.server.should_exit = True  # before its loop has noticed
        with house.connect() as browser:
            assert browser.recv(5) == ""
    assert len(house.decides.errors) == 1


def test_a_worker_that_ends_tells_its_browsers_to_come_back(house: House) -> None:
    worker = house.start_worker()
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        worker.stop()
        with pytest.raises(ConnectionClosed) as closed:
            browser.recv(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_a_program_that_the_worker_starts_does_not_hold_the_browser_s_socket(
    house: House,
) -> None:
    house.start_worker()
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        inheritable = [
            name
            for name in [link.name for link in Path("/proc/self/fd").iterdir()]
            if is_socket_of(int(name), house.port) and os.get_inheritable(int(name))
        ]
        assert inheritable == []


def is_socket_of(descriptor: int, port: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as same:
            return port in same.getsockname()[1:2]
    except (OSError, TypeError):
        return False


def test_a_head_beyond_the_bound_is_not_sent() -> None:
    with pytest.raises(HandoffError, match="is not handed over"):
        asyncio.run(give("/nonexistent", b"x" * (MAX_PACKET + 1), 0))

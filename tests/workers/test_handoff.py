"""Two real servers: one decides and hands over, the other is the worker that takes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from fluxlit._types import HANDOFF, ASGIApp, Message, Receive, Scope, Send
from fluxlit.exceptions import HandoffError
from fluxlit.workers.handoff import (
    MAX_HEAD,
    HandoffHTTPProtocol,
    HandoffListener,
    HandoffProtocol,
    give,
)
from fluxlit.workers.server import WorkerServer
from fluxlit.workers.sockets import bind_tcp, bind_unix

pytestmark = pytest.mark.integration


class Running:
    """A server on a loop of its own, in a thread."""

    def __init__(
        self,
        app: ASGIApp,
        sock: socket.socket,
        *,
        jobs: Callable[[WorkerServer], list[Any]] = lambda _: [],
        **config: Any,
    ) -> None:
        self._ready = threading.Event()
        self.server = WorkerServer(
            uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, **config),
            self._ready.set,
        )
        self._thread = threading.Thread(target=self._run, args=(sock, jobs))
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self, sock: socket.socket, jobs: Callable[[WorkerServer], list[Any]]) -> None:
        async def main() -> None:
            tasks = [asyncio.ensure_future(job()) for job in jobs(self.server)]
            await self.server.serve([sock])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with asyncio.Runner(loop_factory=self.server.config.get_loop_factory()) as runner:
            runner.run(main())

    def wait_until_idle(self) -> None:
        deadline = time.monotonic() + 5
        while self.server.server_state.connections:
            assert time.monotonic() < deadline, "the server still holds a connection"
            time.sleep(0.01)

    def stop(self) -> None:
        self.server.drain()
        self._thread.join(10)
        assert not self._thread.is_alive()


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
        self.offered: list[bool] = []
        self.errors: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.offered.append(HANDOFF in scope["extensions"])
        lines = [b"%b: %b" % item for item in [*scope["headers"], (b"x-decided", b"yes")]]
        head = b"\r\n".join([b"GET /ws HTTP/1.1", *lines]) + b"\r\n\r\n"
        try:
            await send({"type": HANDOFF, "socket": self._path, "head": head})
        except HandoffError as error:
            self.errors.append(str(error))
            await echo(scope, receive, send)


class House:
    """Both servers."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "worker.give")
        self.decides = Decides(self.path)
        listener = bind_tcp("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.front = Running(self.decides, listener, http=HandoffHTTPProtocol, ws=HandoffProtocol)
        self.worker: Running | None = None
        self._folder = folder

    def start_worker(self, **config: Any) -> None:
        def jobs(server: WorkerServer) -> list[Any]:
            return [HandoffListener(self.path, server.new_protocol).run]

        sock = bind_unix(str(self._folder / "worker.sock"))
        self.worker = Running(echo, sock, jobs=jobs, ws="websockets-sansio", **config)

    def connect(self) -> Any:
        return connect(f"ws://127.0.0.1:{self.port}/ws", max_size=None, proxy=None)


@pytest.fixture
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder:
        built = House(Path(folder))
        yield built
        built.front.stop()
        if built.worker is not None:
            built.worker.stop()


def test_the_worker_serves_the_browser_and_the_gateway_s_end_is_not_noticed(house: House) -> None:
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


def test_what_a_client_sends_right_behind_its_request_is_not_lost(house: House) -> None:
    house.start_worker()
    assert early_echo(house) == b"early bird"


def test_without_a_worker_the_app_is_told_and_loses_nothing_either(house: House) -> None:
    assert early_echo(house) == b"early bird"
    assert len(house.decides.errors) == 1
    assert "did not take the socket" in house.decides.errors[0]


def test_the_worker_s_own_limits_hold(house: House) -> None:
    house.start_worker(ws_max_size=1000)
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        browser.send(b"x" * 1001)
        with pytest.raises(ConnectionClosedError) as closed:
            browser.recv(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_worker_that_ends_tells_its_browsers_to_come_back(house: House) -> None:
    house.start_worker()
    with house.connect() as browser:
        assert browser.recv(5) == "yes"
        assert house.worker is not None
        house.worker.stop()
        with pytest.raises(ConnectionClosedError) as closed:
            browser.recv(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


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


def test_a_head_beyond_the_bound_is_not_sent() -> None:
    with pytest.raises(HandoffError, match="is not handed over"):
        asyncio.run(give("/nonexistent", b"x" * (MAX_HEAD + 1), 0))


def test_an_app_that_answers_itself_is_served_as_ever() -> None:
    seen: list[Message] = []

    async def plain(_: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        seen.append(await receive())

    listener = bind_tcp("127.0.0.1", 0)
    port = listener.getsockname()[1]
    front = Running(plain, listener, http=HandoffHTTPProtocol, ws=HandoffProtocol)
    try:
        with connect(f"ws://127.0.0.1:{port}/", proxy=None) as browser:
            assert browser.recv(5) == "hello"
            browser.send("bye")
    finally:
        front.stop()
    assert [event.get("text") for event in seen] == [None, "bye"]


def early_echo(house: House) -> bytes:
    """Send a frame in one packet with the upgrade request; return what is echoed."""
    key = base64.b64encode(os.urandom(16))
    head = (
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
    )
    frame = Frame(Opcode.BINARY, b"early bird").serialize(mask=True)
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as raw:
        raw.sendall(head + frame)
        received = b""
        with contextlib.suppress(TimeoutError):
            while not received.endswith(b"early bird"):
                data = raw.recv(65536)
                if not data:
                    break
                received += data
    return received[-len(b"early bird") :]

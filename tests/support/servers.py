"""Servers in threads of this process, and clients that speak raw bytes to them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import uvicorn

from fluxlit._types import ASGIApp
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import DEFAULT_LIMITS, ConnectionLimits
from fluxlit.workers.server import WorkerServer
from fluxlit.workers.sockets import bind_tcp
from fluxlit.workers.websocket_protocol import WebSocketProtocol

Jobs = Callable[[WorkerServer], list[Callable[[], Coroutine[Any, Any, None]]]]
LOOPS = ("asyncio", "uvloop")


class Running:
    """A worker's server on a loop of its own, in a thread."""

    def __init__(
        self,
        app: ASGIApp,
        sock: socket.socket,
        *,
        limits: ConnectionLimits = DEFAULT_LIMITS,
        ws: type[WebSocketProtocol] = WebSocketProtocol,
        jobs: Jobs = lambda _: [],
        **config: Any,
    ) -> None:
        self._ready = threading.Event()
        http: Any = partial(HTTPProtocol, limits=limits)
        self.server = WorkerServer(
            uvicorn.Config(
                app,
                http=http,
                ws=ws,
                **{"lifespan": "off", "log_config": None, "access_log": False, **config},
            ),
            self._ready.set,
        )
        self.loop: asyncio.AbstractEventLoop | None = None
        self.complaints: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._run, args=(sock, jobs))
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self, sock: socket.socket, jobs: Jobs) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            self.loop.set_exception_handler(lambda _, context: self.complaints.append(context))
            tasks = [asyncio.ensure_future(job()) for job in jobs(self.server)]
            await self.server.serve([sock])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with asyncio.Runner(loop_factory=self.server.config.get_loop_factory()) as runner:
            runner.run(main())

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    def wait_until_idle(self) -> None:
        until(lambda: not self.connections, "the server still holds a connection")

    def in_loop(self, call: Callable[..., object], *args: object) -> None:
        """Have the server's loop call something, between two of its turns."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(call, *args)

    def stop(self) -> None:
        self.server.drain()
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert self.complaints == []


@contextlib.contextmanager
def serving(app: ASGIApp, **options: Any) -> Iterator[tuple[Running, int]]:
    """Serve an app on a loopback port."""
    listener = bind_tcp("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = Running(app, listener, **options)
    try:
        yield server, port
    finally:
        server.stop()


def until(condition: Callable[[], object], what: str, *, seconds: float = 10) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def handshake(*headers: bytes, target: bytes = b"/ws", method: bytes = b"GET") -> bytes:
    """The head of a WebSocket handshake."""
    key = base64.b64encode(os.urandom(16))
    lines = [
        method + b" " + target + b" HTTP/1.1",
        b"Host: front.test",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + key,
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def receive_until(client: socket.socket, end: bytes) -> bytes:
    """Read until these bytes have come, or the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while end not in received and (piece := client.recv(65536)):
            received += piece
    return received


def receive_all(client: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received

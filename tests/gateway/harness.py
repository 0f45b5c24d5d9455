"""A scripted upstream, a real Uvicorn that runs the gateway, and a client that speaks raw bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import uvicorn

from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.gateway.upstream import Member


class Conn:
    """The upstream's end of one connection, for a script to use."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self.raw.settimeout(20)
        self.buffer = b""

    def head(self) -> bytes:
        """Read a request head; empty when the peer hung up."""
        while b"\r\n\r\n" not in self.buffer:
            data = self.raw.recv(65536)
            if not data:
                return b""
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def body(self, length: int) -> bytes:
        while len(self.buffer) < length:
            data = self.raw.recv(65536)
            if not data:
                break
            self.buffer += data
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return body

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    def ok(self, body: bytes = b"ok", *headers: bytes) -> None:
        lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def until_closed(self) -> None:
        with contextlib.suppress(OSError):
            while self.raw.recv(65536):
                pass


Script = Callable[[Conn], None]


class FakeUpstream:
    """Accepts on a Unix socket and runs a script for each connection; records request heads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heads: list[bytes] = []
        self.connections = 0
        self._script: Script = self.answer_all
        self._live: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self.connections += 1
                self._live.append(raw)
                threading.Thread(target=self._run, args=(raw,), daemon=True).start()

    def _run(self, raw: socket.socket) -> None:
        with raw, contextlib.suppress(OSError):
            self.script(Conn(raw))

    @property
    def script(self) -> Script:
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        """Change the part; connections that play the old one end."""
        self._script = script
        for raw in self._live:
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        self._live.clear()

    def answer_all(self, conn: Conn) -> None:
        while head := conn.head():
            self.heads.append(head)
            conn.ok()

    @property
    def target(self) -> bytes:
        return self.heads[-1].split(b"\r\n", 1)[0].split(b" ", 1)[1].rsplit(b" ", 1)[0]

    def headers(self) -> list[tuple[bytes, bytes]]:
        lines = self.heads[-1].split(b"\r\n")[1:]
        return [(n, v) for n, _, v in (line.partition(b": ") for line in lines)]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves accept() waiting
        self._listener.close()


@dataclass
class Reply:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool = True

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]


def parse_reply(data: bytes, *, bodyless: bool = False) -> Reply:
    head, _, rest = data.partition(b"\r\n\r\n")
    status_line, *lines = head.split(b"\r\n")
    headers = [(n, v) for n, _, v in (line.partition(b": ") for line in lines)]
    reply = Reply(int(status_line.split(b" ")[1]), headers, rest)
    if reply.header(b"transfer-encoding") == b"chunked" and not bodyless:
        reply.body, reply.complete = dechunk(rest)
    elif not bodyless and (length := reply.header(b"content-length")):
        reply.complete = len(rest) == int(length)
    return reply


def dechunk(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return body, True
        body += data[:length]
        data = data[length + 2 :]
    return body, False


class WithLifespan:
    """What the app around a gateway does: closes it when the server stops."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.gateway(scope, receive, send)
            return
        await receive()
        await self.gateway.startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.gateway.aclose()
        await send({"type": "lifespan.shutdown.complete"})


class GatewayServer:
    """A Uvicorn in a thread that serves one gateway on a loopback port (or a Unix socket)."""

    def __init__(self, gateway: Gateway, *, uds: str | None = None) -> None:
        self.config = uvicorn.Config(
            WithLifespan(gateway),
            host="127.0.0.1",
            port=0,
            uds=uds,
            lifespan="on",
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=300 * 1024 * 1024,
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(self.config)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.005)

    @property
    def port(self) -> int:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, data: bytes) -> bytes:
        """Send bytes and read until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            return read_all(client)

    def get(self, target: bytes, *headers: bytes, method: bytes = b"GET") -> Reply:
        given = (
            [] if any(h.lower().startswith(b"host:") for h in headers) else [b"Host: front.test"]
        )
        lines = [b"%b %b HTTP/1.1" % (method, target), *given, b"Connection: close", *headers]
        data = self.raw(b"\r\n".join(lines) + b"\r\n\r\n")
        return parse_reply(data, bodyless=method == b"HEAD")

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()


def read_all(client: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            data += piece
    return data


@dataclass
class Fixed:
    """Upstreams with one member."""

    upstream: Upstream

    def members(self) -> list[Member]:
        return [Member(self.upstream)]


@dataclass
class House:
    """A gateway in front of a fake upstream."""

    server: GatewayServer
    upstream: FakeUpstream
    gateway: Gateway


DEFAULT = GatewayOptions()


class BuildHouse(Protocol):
    def __call__(self, options: GatewayOptions = DEFAULT, api: ASGIApp | None = None) -> House: ...


class Serve(Protocol):
    def __call__(self, gateway: Gateway, *, uds: str | None = None) -> GatewayServer: ...


async def echo_api(scope: Scope, _: Receive, send: Send) -> None:
    """An API that answers with the path it was given."""
    body = repr({key: scope.get(key) for key in ("path", "raw_path", "root_path")}).encode()
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class EventFlag(threading.Event):
    """An event that fails the test when it does not come."""

    def expect(self, what: str) -> None:
        assert self.wait(10), what

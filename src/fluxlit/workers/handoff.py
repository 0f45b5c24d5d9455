"""Hand a browser's WebSocket over: the gateway decides, then the UI worker owns the socket.

The gateway's server offers the ASGI extension ``fluxlit.handoff`` on plain connections. An app that
has decided answers a ``websocket.connect`` with one event::

    {"type": "fluxlit.handoff", "socket": "/run/…/ui-0.handoff", "head": b"GET /_stcore/stream …"}

The server duplicates the connection's socket into the worker that listens there (``SCM_RIGHTS``),
with the head that the worker is to read first, and drops its own end. From then on no byte passes
the gateway. If the worker cannot be reached, :class:`~fluxlit.exceptions.HandoffError` is raised
and nothing has happened: the app may relay instead.

``SOCK_SEQPACKET`` keeps a head and its descriptor together in one message (unix(7)); systems
without it do not offer the extension.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from fluxlit._types import HANDOFF, Message
from fluxlit.exceptions import HandoffError

_LOG: Final = logging.getLogger("fluxlit.workers")

SUPPORTED: Final = hasattr(socket, "SOCK_SEQPACKET") and hasattr(socket, "send_fds")

MAX_HEAD: Final = 128 * 1024
"""Bytes of a head with what the client sent right behind it; more goes through the relay."""

ANSWER_WITHIN: Final = 2.0
"""Seconds that a worker has to take a socket; it does so between two turns of its loop."""

_TAKEN: Final = b"taken"
_END_OF_HEAD: Final = b"\r\n\r\n"


class HandoffHTTPProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, which keeps what a client sent right behind its upgrade request.

    Uvicorn gives the WebSocket protocol the request it has parsed and drops the rest of the chunk
    (uvicorn/protocols/http/httptools_impl.py, ``handle_websocket_upgrade``).
    """

    _tail = b""

    def data_received(self, data: bytes) -> None:
        """Parse, with the last bytes at hand that may hold the end of a head."""
        self._chunk = self._tail + data
        self._tail = self._chunk[-len(_END_OF_HEAD) + 1 :]
        super().data_received(data)

    def handle_websocket_upgrade(self) -> None:
        """Upgrade, and pass on what followed the head."""
        super().handle_websocket_upgrade()
        _, _, behind = self._chunk.partition(_END_OF_HEAD)
        protocol = self.transport.get_protocol()
        if behind and isinstance(protocol, HandoffProtocol):
            protocol.data_received(behind)


class HandoffProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol with the extension.

    Until the app has decided, nothing more is read from the client, so that all it has sent is
    still in the kernel and goes with the socket.
    """

    _undecided = False
    _early = b""

    def handle_connect(self, event: Request) -> None:
        """Start the app, with the extension if this connection can be handed over."""
        super().handle_connect(event)
        if SUPPORTED and self.scheme == "ws" and not self.handshake_complete:
            self.scope["extensions"][HANDOFF] = {}
            self._undecided = True
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Keep what arrives before the decision."""
        if self._undecided:
            self._early += data
        else:
            super().data_received(data)

    async def send(self, message: Any) -> None:
        """Serve the app's events; the first one decides."""
        if message["type"] == HANDOFF:
            await self._hand_over(message)
            return
        await super().send(message)
        if self._undecided and self.handshake_complete:
            self._undecided = False
            self.transport.resume_reading()
            if self._early:
                super().data_received(self._early)

    async def _hand_over(self, message: Message) -> None:
        if not self._undecided or self.transport.is_closing():
            msg = "this connection cannot be handed over"
            raise HandoffError(msg)
        packet = message["head"] + self._early
        browser = self.transport.get_extra_info("socket")
        await give(message["socket"], packet, browser.fileno())
        self._undecided = False
        self.handshake_complete = True
        self.transport.abort()  # closes this process' descriptor; the connection lives on


async def give(path: str, packet: bytes, descriptor: int) -> None:
    """Send a socket to the worker that listens on a path, and wait until it is taken.

    Raises:
        HandoffError: The worker cannot be reached, or did not take it in time.
    """
    if len(packet) > MAX_HEAD:
        msg = f"a head of {len(packet)} bytes is not handed over"
        raise HandoffError(msg)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.setblocking(False)
        try:
            line.connect(path)  # a Unix socket connects at once or not at all
            socket.send_fds(line, [packet], [descriptor])
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await loop.sock_recv(line, len(_TAKEN))
        except (OSError, TimeoutError) as exc:
            msg = f"the worker at {path} did not take the socket: {exc!r}"
            raise HandoffError(msg) from exc
    if answer != _TAKEN:
        msg = f"the worker at {path} refused the socket"
        raise HandoffError(msg)


class HandoffListener:
    """The worker's side: takes sockets and serves them with the worker's own server.

    Args:
        path: Where gateways find it; replaces what is there.
        make_protocol: Makes the server's HTTP protocol for one connection.
    """

    def __init__(self, path: str, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._make_protocol = make_protocol
        self._adopting: set[asyncio.Task[None]] = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._socket.bind(path)
        self._socket.listen(128)

    async def run(self) -> None:
        """Take sockets until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                line, _ = await loop.sock_accept(self._socket)
                task = loop.create_task(self._adopt(line))
                self._adopting.add(task)
                task.add_done_callback(self._adopting.discard)
        finally:
            self._socket.close()

    async def _adopt(self, line: socket.socket) -> None:
        with line:
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await _readable(line)
                packet, descriptors, _, _ = socket.recv_fds(line, MAX_HEAD, 1)
                if not descriptors:
                    return
                browser = socket.socket(fileno=descriptors[0])
                await self._serve(browser, packet)
                line.send(_TAKEN)
            except (OSError, TimeoutError):
                _LOG.warning("a socket was not taken over", exc_info=True)

    async def _serve(self, browser: socket.socket, packet: bytes) -> None:
        loop = asyncio.get_running_loop()
        browser.setblocking(False)
        protocol = self._make_protocol()
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, browser)
        head, end, behind = packet.partition(_END_OF_HEAD)
        protocol.data_received(head + end)
        upgraded = transport.get_protocol()  # the head made it a WebSocket
        if behind and isinstance(upgraded, asyncio.Protocol):
            upgraded.data_received(behind)


async def _readable(sock: socket.socket) -> None:
    """Wait until there is something to receive; the loop's own receive drops descriptors."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        with contextlib.suppress(OSError, ValueError):
            loop.remove_reader(sock)

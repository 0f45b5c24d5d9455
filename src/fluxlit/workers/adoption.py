"""The UI worker's side of a hand-over: takes browsers' sockets and serves them as its own.

:mod:`fluxlit.workers.handoff` tells how the two sides agree.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected

from fluxlit._types import Message
from fluxlit.workers.gathering import GatheringProtocol
from fluxlit.workers.handoff import ANSWER_WITHIN, MAX_PACKET, TAKEN, readable
from fluxlit.workers.server import WorkerServer
from fluxlit.workers.traffic import Traffic

_LOG: Final = logging.getLogger("fluxlit.workers")

_BACKLOG: Final = 128
_PAUSE_SECONDS: Final = 0.5
"""Between two tries to accept when the process has no descriptors left (asyncio waits 1 s)."""

_DESCRIPTOR: Final = struct.Struct("i")

# A socket that leaked into a program started by a page would keep its connection open. Where the
# flag is missing, SOCK_SEQPACKET is too.
_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class PageProtocol(GatheringProtocol):
    """The WebSocket protocol of a page: the limit of a message holds both ways."""

    async def send(self, message: Any) -> None:
        """Serve the app's events.

        Raises:
            ClientDisconnected: A message was too large; the connection is closed.
        """
        if message["type"] != "websocket.send" or _size(message) <= self.config.ws_max_size:
            await super().send(message)
            return
        await super().send({"type": "websocket.close", "code": 1009, "reason": "message too big"})
        raise ClientDisconnected


class HandoffListener:
    """Takes sockets and serves them with the worker's own server.

    Args:
        path: Where gateways find it.
        server: Serves them; one that drains takes no more.
        traffic: Counts them.
    """

    def __init__(self, path: str, server: WorkerServer, traffic: Traffic) -> None:
        self._server = server
        self._traffic = traffic
        self._adopting: set[asyncio.Task[None]] = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._socket.bind(path)
        self._socket.listen(_BACKLOG)

    async def run(self) -> None:
        """Take sockets until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    line, _ = await loop.sock_accept(self._socket)
                except OSError as exc:
                    _LOG.warning("cannot take browsers' sockets over: %s", exc)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                task = loop.create_task(self._adopt(line))
                self._adopting.add(task)
                task.add_done_callback(self._adopting.discard)
        finally:
            self._socket.close()

    async def _adopt(self, line: socket.socket) -> None:
        with line:
            try:
                packet, browser = await _receive(line)
            except (OSError, TimeoutError) as exc:
                _LOG.warning("a socket was not taken over: %r", exc)
                return
            if browser is None or not self._take(line):
                if browser is not None:
                    browser.close()
                return
        try:
            await self._serve(browser, packet)
        except OSError:
            _LOG.exception("a socket that was taken over cannot be served")
            browser.close()

    def _take(self, line: socket.socket) -> bool:
        """Say that the socket is ours; tell whether the gateway still agrees."""
        if self._server.should_exit:
            return False
        try:
            line.send(TAKEN)
        except OSError:
            return False
        self._traffic.taken += 1
        return True

    async def _serve(self, browser: socket.socket, packet: bytes) -> None:
        loop = asyncio.get_running_loop()
        browser.setblocking(False)
        first = _Adopted(self._server.new_protocol(), packet)
        await loop.connect_accepted_socket(lambda: first, browser)


class _Adopted(asyncio.Protocol):
    """Makes way for the server's protocol, once that has what was read before.

    It does so before the loop reads from the socket, so that nothing can overtake the head.
    """

    def __init__(self, protocol: asyncio.Protocol, packet: bytes) -> None:
        self._protocol = protocol
        self._packet = packet

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.set_protocol(self._protocol)
        try:
            self._protocol.connection_made(transport)
            self._protocol.data_received(self._packet)
        except BaseException:  # the loop logs it and would leave the connection as it is
            transport.abort()
            raise


async def _receive(line: socket.socket) -> tuple[bytes, socket.socket | None]:
    """Receive a head with its socket; there is none when this process has no room for one."""
    async with asyncio.timeout(ANSWER_WITHIN):
        await readable(line)
    # Not socket.recv_fds(), which passes no flags on.
    space = socket.CMSG_SPACE(_DESCRIPTOR.size)
    packet, received, _, _ = line.recvmsg(MAX_PACKET, space, _CLOSE_ON_EXEC)
    for level, kind, data in received:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            return packet, socket.socket(fileno=_DESCRIPTOR.unpack_from(data)[0])
    return packet, None


def _size(message: Message) -> int:
    data = message.get("bytes")
    return len(data) if data is not None else len((message.get("text") or "").encode())

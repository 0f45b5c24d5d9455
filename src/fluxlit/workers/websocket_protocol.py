"""The WebSocket side of a worker's server: Uvicorn's protocol, with the bounds that it lacks."""

from __future__ import annotations

from asyncio import BaseTransport
from collections.abc import Iterable
from typing import Any, Final

import httptools
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request

from fluxlit.workers.limits import DEFAULT_LIMITS, ConnectionLimits
from fluxlit.workers.write_guard import WriteGuard

_BLANK_HEAD: Final = b"GET / HTTP/1.1\r\n\r\n"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol.

    Until the app has answered the handshake, nothing more is read from the client: what it has
    sent is still in the kernel, or kept here. A client that stops reading is cut; one that reads
    slowly is not, however late its pong comes behind a large message.
    """

    _request: Request | None = None
    _undecided = False
    _early = b""
    _pong = b""

    def open(self, request: Request, behind: bytes, limits: ConnectionLimits) -> None:
        """Start with a head that the HTTP protocol has parsed already.

        The library's own parser bounds a header line at 8 KiB. It is given a head without
        headers, because it expects one before the frames; the app sees the real one.

        Args:
            request: The handshake.
            behind: What the client sent right behind it.
            limits: What the connection may cost.
        """
        self._request = request
        self._guard = WriteGuard(self.transport, limits.client_timeout)
        self.close_timeout = limits.ws_close_timeout
        self.data_received(_BLANK_HEAD)
        if behind and not self.transport.is_closing():
            self.data_received(behind)

    def connection_made(self, transport: BaseTransport) -> None:
        """Keep the transport."""
        super().connection_made(transport)
        self._guard = WriteGuard(self.transport, DEFAULT_LIMITS.client_timeout)

    def handle_connect(self, event: Request) -> None:
        """Start the app."""
        super().handle_connect(self._request or event)
        if not self.handshake_complete:
            self._undecided = True
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Keep what arrives before the app's answer."""
        if self._undecided:
            self._early += data
            self.transport.pause_reading()  # uvloop starts to read after "connection_made"
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the watch."""
        self._guard.disarm()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        """Serve the app's events; the first one decides."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # else Uvicorn logs an error for each refusal
        if self._undecided and self.handshake_complete:
            self._decide()

    def _decide(self) -> None:
        self._undecided = False
        if self.transport.is_closing():
            return
        self.transport.resume_reading()
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    # A client that does not keep up

    def pause_writing(self) -> None:
        """Watch whether the client reads at all."""
        super().pause_writing()
        self._guard.arm()

    def resume_writing(self) -> None:
        """It does: answer the last ping that had to wait."""
        super().resume_writing()
        self._guard.disarm()
        pong, self._pong = self._pong, b""
        if pong and not self.transport.is_closing():
            self.transport.write(pong)

    def handle_ping(self) -> None:
        """Answer, or while the client does not read keep the answer to its last ping only.

        RFC 6455 section 5.5.3 allows that; else a flood of pings would fill the memory.
        """
        if self.writable.is_set():
            super().handle_ping()
        else:
            self._pong = b"".join(self.conn.data_to_send())

    def keepalive_timeout(self) -> None:
        """End the connection, unless the ping still waits behind a message that is being read."""
        if self.writable.is_set() or self.ping_timeout is None:
            super().keepalive_timeout()
        else:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)


def handshake(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Request:
    """Return a request that was read by another parser, as the WebSocket library has it."""
    parsed = httptools.parse_url(url)
    target = b"%b?%b" % (parsed.path, parsed.query) if parsed.query else parsed.path
    given = Headers()
    for name, value in headers:
        given[name.decode("latin-1")] = value.decode("latin-1")
    return Request(target.decode("latin-1"), given)

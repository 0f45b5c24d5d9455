"""The HTTP side of a worker's server: Uvicorn's protocol, with the bounds that it lacks.

Facts about the parser (llhttp, by httptools) and about Uvicorn on which this file stands:

* A header that is not complete yet is kept in the parser, without a bound.
* Trailers of a body are reported like headers, and Uvicorn would add them to the request's own.
* Behind an upgrade the parser stops; Uvicorn drops what is left of that read.

So the bytes are counted since the parser last got anywhere. They are a head or a trailer, or
chunk extensions, and more of them than a head may have ends the connection.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from fluxlit.workers.limits import DEFAULT_LIMITS, ConnectionLimits
from fluxlit.workers.outbox import Outbox
from fluxlit.workers.request_head import (
    MALFORMED,
    TOO_LARGE,
    handshake_fault,
    host_fault,
    size_of,
)
from fluxlit.workers.websocket_protocol import WebSocketProtocol, handshake
from fluxlit.workers.write_guard import WriteGuard

LINGER_SECONDS: Final = 2.0
"""Time for a refused client to stop sending and read why (as nginx's ``lingering_timeout``)."""

NEW_SECONDS: Final = 1.0
"""Time from a connection's opening in which its first request is expected."""

_TOO_EARLY: Final = (HTTPStatus.BAD_REQUEST, "A WebSocket handshake waits for earlier answers")
_TOO_LATE: Final = (HTTPStatus.REQUEST_TIMEOUT, "The head did not arrive in time")


class Stage(Enum):
    """Where the parser stands."""

    BETWEEN = "between"
    HEAD = "head"
    BODY = "body"
    REFUSED = "refused"


class _RefusedError(Exception):
    """Stops the parser in a callback."""


class HTTPProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol with a bounded head, and with no byte lost at an upgrade.

    Args:
        config: As Uvicorn passes it.
        server_state: The same.
        app_state: The same.
        limits: What a connection may cost.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._stage = Stage.BETWEEN
        self._unparsed = 0
        self._refusal = MALFORMED
        self._is_handshake = False
        self._idle_since = 0.0
        self._head_timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._outbox = Outbox(transport, self.loop)
        self._guard = WriteGuard(transport, self._limits.client_timeout)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._stop_clock()
        self._guard.disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, as far as the limits allow."""
        if self._stage is Stage.REFUSED:
            return
        self._unparsed += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(*self._refusal)
            return
        if self._unparsed > self._limits.max_head_bytes:
            self._refuse(*TOO_LARGE)
        elif self._stage is Stage.HEAD or (self._unparsed and self._stage is Stage.BETWEEN):
            self._start_clock()

    def pause_writing(self) -> None:
        """Watch whether the client reads at all."""
        super().pause_writing()
        self._guard.arm()

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        self._guard.disarm()

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._should_upgrade():
                    self._open_websocket(data)
                    return
                # RFC 9110 section 7.8: an upgrade that is not wanted is an ordinary request.
            else:
                return

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """Note that there is a head to finish."""
        super().on_message_begin()
        self._stage = Stage.HEAD

    def on_headers_complete(self) -> None:
        """Check the head, then start the app."""
        self._is_handshake = self.parser.should_upgrade() and super()._should_upgrade()
        self._check_head()
        self._stage = Stage.BODY
        self._unparsed = 0
        self._stop_clock()
        super().on_headers_complete()
        if not self._is_handshake:  # the app has been scheduled, and has not run yet
            self.cycle.transport = self._outbox  # type: ignore[assignment]  # as much as is used
        self.headers = []  # trailers go here, not into the head that the app was given
        if getattr(self.server_state, "is_last_call", False):
            self.close_after_answer()

    def on_body(self, body: bytes) -> None:
        """Hand a piece on."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a message."""
        self._stage = Stage.BETWEEN
        self._unparsed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request; see that the client takes the rest of this answer."""
        self._outbox.flush()
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self._await_next()
        self._guard.arm()

    def close_after_answer(self) -> None:
        """Let an answer that has not begun yet be the last one, and say so in its head."""
        if self._is_answering() and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def is_new(self) -> bool:
        """Tell whether it was opened a moment ago for a request that is still on its way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None and self.loop.time() - self._idle_since < NEW_SECONDS

    def _await_next(self) -> None:
        """Do what Uvicorn does here, without a timer to make and cancel for each request."""
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_idle(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle all the time; one that is busy asks again later."""
        self.timeout_keep_alive_task = None
        if self._head_timer is not None or self._is_answering():
            return  # the clock of the next head, or the end of the answer, goes on from here
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait_idle(left)
        else:
            super().timeout_keep_alive_handler()

    def _wait_idle(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _check_head(self) -> None:
        parser, url, headers = self.parser, self.url, self.headers
        fault = host_fault(url, headers, parser.get_http_version())
        most = self._limits.max_head_bytes
        if self._unparsed > most and size_of(parser.get_method(), url, headers) > most:
            fault = fault or TOO_LARGE
        if self._is_handshake:
            fault = fault or handshake_fault(parser.get_method(), url, headers)
            if self._is_answering():  # its answer would mix with the WebSocket's bytes
                fault = fault or _TOO_EARLY
        if fault is not None:
            self._refusal = fault
            raise _RefusedError

    # WebSockets

    def _should_upgrade(self) -> bool:
        return self._is_handshake

    def _open_websocket(self, behind: bytes) -> None:
        """Let a WebSocket protocol go on, with what the client sent right behind its request."""
        make = self.ws_protocol_class
        if make is None or not issubclass(make, WebSocketProtocol):
            self.handle_websocket_upgrade()
            return
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._guard.disarm()
        protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.open(handshake(self.url, self.scope["headers"]), behind, self._limits)

    # Refusals

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start_clock(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_timeout, self._too_late)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_late(self) -> None:
        self._head_timer = None
        if self._stage is Stage.BETWEEN and not self._unparsed:
            self.transport.close()  # nothing was asked, so there is nothing to answer
        else:
            self._refuse(*_TOO_LATE)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer what is no request, unless an answer is on its way, and end the connection."""
        if self.transport.is_closing():
            return
        broken_body = self._stage is Stage.BODY
        self._stage = Stage.REFUSED
        self._stop_clock()
        self.pipeline.clear()
        if self._is_answering() and not broken_body:
            self.cycle.keep_alive = False  # the answer ends the connection
        elif self._is_answering() and self.cycle.response_started:
            self.transport.abort()
        else:
            self._answer(status, reason)

    def _answer(self, status: HTTPStatus, reason: str) -> None:
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        content = b"".join(
            [
                STATUS_LINE[status],
                *(b"%b: %b\r\n" % item for item in self.server_state.default_headers),
                b"content-type: text/plain; charset=utf-8\r\n",
                b"content-length: %d\r\n" % len(reason),
                b"connection: close\r\n\r\n",
                reason.encode("ascii"),
            ]
        )
        self._outbox.flush()
        self.transport.write(content)
        self._linger()

    def _linger(self) -> None:
        """Close for writing, and read on for a moment: closing at once would reset the connection.

        The client could then lose the answer (RFC 9112 section 9.6).
        """
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._head_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

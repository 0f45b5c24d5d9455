"""Carries one WebSocket between a client and an upstream.

The upstream's handshake comes first: the client is accepted only when the upstream has accepted,
with the sub-protocol and cookies that it chose, or refused with the upstream's own status.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.datastructures import Headers as WireHeaders
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from fluxlit._types import Message, Receive, Send
from fluxlit.exceptions import UpstreamTimeout, UpstreamUnavailable
from fluxlit.gateway.headers import Headers, from_upstream, from_upstream_handshake
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream, open_connection

logger = logging.getLogger("fluxlit.gateway")

REMOTE_PING_SECONDS = 20.0
"""Between pings to a UI on another machine, and for their answer, where nothing is said."""

_MAX_REASON_BYTES = 123
"""RFC 6455 section 5.5: a control frame's payload is 125 bytes, the code takes two."""

_HANDSHAKE_URI = WebSocketURI(False, "ui", 80, "/", "")  # the library's signature


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A WebSocket handshake as the upstream is to see it.

    Attributes:
        target: Raw path and query.
        headers: The composed headers, without those of the handshake itself.
        subprotocols: As the client offered them, in its order.
        can_answer_http: Whether the server lets a handshake be refused with a response.
    """

    target: bytes
    headers: Headers
    subprotocols: tuple[str, ...]
    can_answer_http: bool


class CloseFrame(NamedTuple):
    """Why a WebSocket ends."""

    code: int
    reason: str


class WebSocketRelay:
    """Relays WebSockets.

    Args:
        options: Timeouts, pings and the largest message.
    """

    def __init__(self, options: GatewayOptions) -> None:
        self._options = options

    async def __call__(
        self, request: SocketRequest, upstream: Upstream, receive: Receive, send: Send
    ) -> None:
        """Relay one WebSocket, whose "websocket.connect" has been received, to its close.

        Raises:
            UpstreamError: The upstream gave no answer to the handshake; the client has none yet.
        """
        try:
            connection = await self._open(request, upstream)
        except InvalidStatus as refusal:
            await _refuse(refusal.response, request, send)
            return
        try:
            await _accept(connection, send)
            limit = self._options.ws_max_message_bytes
            await _Bridge(connection, receive, send, limit).run()
        finally:
            # After a clean close there is nothing left to drop; after anything else nobody reads.
            connection.transport.abort()

    async def _open(self, request: SocketRequest, upstream: Upstream) -> ClientConnection:
        options = self._options
        _, connection = await open_connection(
            upstream, self._factory(request, upstream), options.connect_timeout
        )
        try:
            async with asyncio.timeout(options.ws_open_timeout):
                await connection.handshake()
        except TimeoutError:
            connection.transport.abort()
            msg = f"{upstream.name}: no WebSocket handshake within {options.ws_open_timeout:g} s"
            raise UpstreamTimeout(msg) from None
        except InvalidStatus:
            connection.transport.abort()
            raise
        except (InvalidHandshake, ConnectionClosed, OSError, EOFError) as error:
            connection.transport.abort()
            msg = f"{upstream.name}: the WebSocket handshake failed: {error}"
            raise UpstreamUnavailable(msg) from error
        except BaseException:
            connection.transport.abort()
            raise
        connection.start_keepalive()
        return connection

    def _factory(
        self, request: SocketRequest, upstream: Upstream
    ) -> Callable[[], ClientConnection]:
        options = self._options
        # A process of this machine cannot vanish without its sockets; another machine can.
        pings = None if upstream.managed else REMOTE_PING_SECONDS

        def make() -> ClientConnection:
            return ClientConnection(
                _ExactHandshake(request, options.ws_max_message_bytes),
                ping_interval=options.ws_ping_interval or pings,
                ping_timeout=options.ws_ping_timeout or pings,
                close_timeout=options.ws_close_timeout or 10.0,
                max_queue=(4, 1),
            )

        return make


class _ExactHandshake(ClientProtocol):
    """A client handshake that carries exactly the composed headers, each once.

    The library would write its own ``Host`` and drop ``;parameters`` from the path.
    """

    def __init__(self, request: SocketRequest, max_message_bytes: int) -> None:
        offered = [Subprotocol(name) for name in request.subprotocols] or None
        super().__init__(_HANDSHAKE_URI, subprotocols=offered, max_size=max_message_bytes)
        self._exact = request

    def connect(self) -> Request:
        own = super().connect().headers
        headers = WireHeaders()
        for name, value in self._exact.headers:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        for field in ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"):
            headers[field] = own[field]
        if self._exact.subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self._exact.subprotocols)
        return Request(self._exact.target.decode("latin-1"), headers)


class _Bridge:
    """The two directions of an open WebSocket; neither outlives the other."""

    __slots__ = ("_client_left", "_connection", "_max_bytes", "_receive", "_send")

    def __init__(
        self, connection: ClientConnection, receive: Receive, send: Send, max_bytes: int
    ) -> None:
        self._connection = connection
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._client_left = False

    async def run(self) -> None:
        follower = asyncio.create_task(self._follow_client())
        try:
            await self._upstream_to_client()
        except OSError:
            # Uvicorn raises this when the client vanishes under a write; how it left is what
            # the follower is about to read, and to tell.
            await self._discard()
            await follower
        finally:
            follower.cancel()
            await asyncio.wait([follower])

    async def _upstream_to_client(self) -> None:
        """Move the upstream's messages; when it leaves, tell the client its code and reason."""
        connection, send = self._connection, self._send
        try:
            while True:
                data = await connection.recv()
                kind = "text" if isinstance(data, str) else "bytes"
                await send({"type": "websocket.send", kind: data})
        except ConnectionClosed as closed:
            if not self._client_left:
                await self._close_client(close_towards_client(closed))

    async def _discard(self) -> None:
        """Read what nobody wants any more: behind it stands the upstream's answer to our close."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._connection.recv()

    async def _follow_client(self) -> None:
        """Move the client's messages; when it leaves, say so upstream, which ends both ways."""
        try:
            frame = await self._client_to_upstream()
        except ConnectionClosed:
            return  # the other direction knows why, and tells the client
        except Exception:
            logger.exception("reading a client's WebSocket failed")
            frame = CloseFrame(1011, "")
        self._client_left = True
        await self._connection.close(frame.code, frame.reason)

    async def _client_to_upstream(self) -> CloseFrame:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return close_towards_upstream(message)
            data = message.get("bytes")
            if data is None:
                data = message.get("text") or ""
            if len(data) > self._max_bytes:
                self._client_left = True
                frame = CloseFrame(1009, "message too big")
                await self._close_client(frame)
                return frame
            await self._connection.send(data)

    async def _close_client(self, frame: CloseFrame) -> None:
        await self._send({"type": "websocket.close", "code": frame.code, "reason": frame.reason})


def close_towards_upstream(message: Message) -> CloseFrame:
    """Read how the client left.

    A close frame without a code, and a client that vanished, both read as 1005 under Uvicorn; only
    the former has a reason. 1005, 1006 and 1015 never go over a wire (RFC 6455 section 7.4.1).

    >>> close_towards_upstream({"type": "websocket.disconnect", "code": 1006})
    CloseFrame(code=1001, reason='the client vanished')
    """
    code, reason = message.get("code", 1005), message.get("reason")
    if code == 1005 and reason is not None:
        return CloseFrame(1000, "")
    if not is_sendable(code):
        return CloseFrame(1001, "the client vanished")
    return CloseFrame(code, cut_reason(reason or ""))


def close_towards_client(closed: ConnectionClosed) -> CloseFrame:
    """Read how the upstream left: its own words, or ours where it said none."""
    if closed.rcvd is not None and (closed.sent is None or closed.rcvd_then_sent):
        code, reason = closed.rcvd.code, closed.rcvd.reason
        return CloseFrame(code if is_sendable(code) else 1000, reason)
    if closed.sent is not None and is_sendable(closed.sent.code):
        return CloseFrame(closed.sent.code, cut_reason(closed.sent.reason))
    return CloseFrame(1011, "the upstream vanished")


def is_sendable(code: int) -> bool:
    """Tell whether a close code may stand in a close frame.

    >>> [is_sendable(code) for code in (1000, 1005, 1006, 1012, 4001)]
    [True, False, False, True, True]
    """
    return code in {1000, 1001, 1002, 1003} or 1007 <= code <= 1014 or 3000 <= code < 5000


def cut_reason(reason: str) -> str:
    """Fit a reason into a close frame without breaking a character."""
    return reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


async def _accept(connection: ClientConnection, send: Send) -> None:
    response = connection.response
    headers = _wire(response) if response is not None else []
    await send(
        {
            "type": "websocket.accept",
            "subprotocol": connection.subprotocol,
            "headers": from_upstream_handshake(headers),
        }
    )


async def _refuse(response: Response, request: SocketRequest, send: Send) -> None:
    if not request.can_answer_http:
        await send({"type": "websocket.close", "code": 1008, "reason": "refused upstream"})
        return
    body = bytes(response.body or b"")
    headers = [
        item
        for item in from_upstream(_wire(response), response.status_code)
        if item[0] != b"content-length"
    ]
    headers.append((b"content-length", b"%d" % len(body)))
    start = {"status": response.status_code, "headers": headers}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": body})


def _wire(response: Response) -> Headers:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.raw_items()
    ]

"""Carries one HTTP exchange between a client and an upstream, streamed both ways.

Two coroutines share a connection: one moves what the client sends and notices when it leaves, the
other moves what the upstream answers. Each waits for the slower side, so the gateway holds at
most a few pieces of a body however large it is.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from fluxlit._types import Message, Receive, Scope, Send
from fluxlit.exceptions import (
    BodyTooLarge,
    RequestTimeout,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from fluxlit.gateway.admission import Admission, Turn
from fluxlit.gateway.connection import Connection, ResponseHead, content_length, request_head
from fluxlit.gateway.headers import Headers, find, from_upstream
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.pool import ConnectionPool
from fluxlit.gateway.upstream import Upstream
from fluxlit.logging import DEFAULT_SENSITIVE_QUERY_KEYS, get_request_id, redact_query_string
from fluxlit.tracing import UPSTREAM_HTTP, has_trace_hook, trace_span

logger = logging.getLogger("fluxlit.gateway")

# RFC 9110 section 9.2.2: what may be sent again when nobody knows whether it arrived.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_FRAMING_CHUNKED = ((b"transfer-encoding", b"chunked"),)


class ClientGoneError(Exception):
    """The client left before the exchange was over."""


@dataclass(frozen=True, slots=True)
class RelayRequest:
    """A request as the upstream is to see it.

    Attributes:
        method: The HTTP method.
        target: Raw path and query.
        headers: The composed headers, complete but for the framing of a body.
        framing: How a body travels.
        client: The visitor's address, whose share of the limits this counts against.
    """

    method: str
    target: bytes
    headers: Headers
    framing: Framing
    client: str = ""

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows whether it arrived."""
        return self.method in _IDEMPOTENT and not self.framing.has_body


@dataclass(frozen=True, slots=True)
class Framing:
    """How a request body is delimited: by a length, in chunks, or not at all."""

    length: int | None
    chunked: bool

    @property
    def has_body(self) -> bool:
        """Whether anything follows the head."""
        return self.chunked or bool(self.length)


def framing_of(scope: Scope) -> Framing:
    """Read the framing of the client's request from its headers."""
    headers = scope["headers"]
    if find(headers, b"transfer-encoding") is not None:
        return Framing(None, chunked=True)
    return Framing(content_length(headers), chunked=False)


class HTTPRelay:
    """Relays HTTP exchanges.

    Args:
        pool: Where connections come from.
        options: Timeouts and the limit of a request body.
    """

    def __init__(self, pool: ConnectionPool, options: GatewayOptions) -> None:
        self._pool = pool
        self._options = options
        self._secret_keys = DEFAULT_SENSITIVE_QUERY_KEYS | options.secret_query_keys
        self._admission = Admission(options.max_waiting, options.queue_timeout)

    async def __call__(
        self, request: RelayRequest, upstream: Upstream, receive: Receive, send: Send
    ) -> None:
        """Relay one exchange.

        Raises:
            UpstreamError: The upstream gave no response head.
            BodyTooLarge: The request body exceeds the limit.
            RequestTimeout: The client stopped sending it.
        """
        max_body = self._options.max_body_bytes
        if max_body and (request.framing.length or 0) > max_body:
            raise _too_large(max_body)
        # Only what may be repeated is tried on a connection that may be dying: the peer can close
        # an idle one at the very moment it is picked.
        client = (receive, send)
        try:
            with _span(request, upstream, self._secret_keys):
                fresh = not request.is_repeatable
                if not await self._attempt(request, upstream, client, fresh=fresh):
                    await self._attempt(request, upstream, client, fresh=True)
        except ClientGoneError:
            logger.info("client left during %s %s", request.method, upstream.name)

    async def _attempt(
        self,
        request: RelayRequest,
        upstream: Upstream,
        client: tuple[Receive, Send],
        *,
        fresh: bool,
    ) -> bool:
        turn = Turn(self._admission, request.client)
        connection = await self._pool.acquire(upstream, request.client, fresh=fresh)
        try:
            if not request.framing.has_body:
                await turn.take()
            await _Exchange(request, connection, client, turn, self._options).run()
        except UpstreamUnavailable:  # not one that is slow: it may be working on the request
            if connection.reused and connection.untouched:
                return False
            raise
        finally:
            turn.give_back()
            self._pool.release(upstream, request.client, connection)
        return True


def _span(
    request: RelayRequest, upstream: Upstream, secret_keys: frozenset[str]
) -> AbstractContextManager[object]:
    """Return what surrounds one request to an upstream."""
    if not has_trace_hook():
        return nullcontext()
    path, mark, query = request.target.decode("latin-1").partition("?")
    told = redact_query_string(query, sensitive_keys=secret_keys)
    attributes = {
        "http.request.method": request.method,
        "url.full": f"{upstream.url}{path}{mark}{told}",
        "fluxlit.request_id": get_request_id(),
    }
    return trace_span(UPSTREAM_HTTP, attributes)


class _Exchange:
    """One request and its response on one connection.

    It has its turn from when the upstream has the whole request until the answer begins: what a
    slow client does to its upload or download takes nobody's place.
    """

    __slots__ = (
        "_client_timeout",
        "_connection",
        "_deadline",
        "_max_body",
        "_over",
        "_receive",
        "_request",
        "_send",
        "_timeout",
        "_turn",
    )

    def __init__(
        self,
        request: RelayRequest,
        connection: Connection,
        client: tuple[Receive, Send],
        turn: Turn,
        options: GatewayOptions,
    ) -> None:
        self._request = request
        self._connection = connection
        self._receive, self._send = client
        self._turn = turn
        self._timeout = options.read_timeout
        self._client_timeout = options.client_timeout
        self._max_body = options.max_body_bytes
        self._deadline: asyncio.TimerHandle | None = None
        self._over = False

    async def run(self) -> None:
        request = self._request
        framing = request.framing
        headers = [*request.headers, *_FRAMING_CHUNKED] if framing.chunked else request.headers
        self._connection.begin(
            request_head(request.method, request.target, headers),
            bodyless=request.method == "HEAD",
            has_body=framing.has_body,
        )
        follower = asyncio.create_task(self._follow_client())
        try:
            # While a body is on its way up, only the client sets the pace.
            head = await self._connection.head(None if framing.has_body else self._timeout)
            self._stop_clock()
            self._turn.give_back()
            await self._respond(head)
        finally:
            self._over = True
            self._stop_clock()
            follower.cancel()
            await asyncio.wait([follower])

    async def _respond(self, head: ResponseHead) -> None:
        connection, send = self._connection, self._send
        headers = from_upstream(head.headers, head.status)
        await send({"type": "http.response.start", "status": head.status, "headers": headers})
        try:
            while data := await connection.read(self._timeout):
                self._over = connection.exhausted
                message = {"type": "http.response.body", "body": data, "more_body": not self._over}
                await send(message)
                if self._over:
                    return
        except (UpstreamError, BodyTooLarge, RequestTimeout) as error:
            # The status is out. Returning without a last piece makes the server cut the
            # connection, which is how HTTP/1.1 says "incomplete" (RFC 9112 section 8).
            logger.warning("response cut short: %s", error)
            return
        self._over = True
        await send({"type": "http.response.body", "body": b""})

    async def _follow_client(self) -> None:
        try:
            if self._request.framing.has_body:
                await self._upload()
                self._start_clock()
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if not self._over:
                self._connection.fail(ClientGoneError())
        except Exception as error:  # noqa: BLE001  # handed to the coroutine that answers
            self._connection.fail(error)

    async def _upload(self) -> None:
        chunked, received = self._request.framing.chunked, 0
        more = True
        while more:
            message = await self._next_piece()
            data, more = message.get("body", b""), message.get("more_body", False)
            received += len(data)
            if self._max_body and received > self._max_body:
                raise _too_large(self._max_body, unread=more)
            if not more:
                await self._turn.take()
            if data:
                piece = b"%x\r\n%b\r\n" % (len(data), data) if chunked else data
                await self._connection.write(piece, self._timeout)
        if chunked:
            await self._connection.write(b"0\r\n\r\n", self._timeout)
        self._connection.end_body()

    async def _next_piece(self) -> Message:
        try:
            async with asyncio.timeout(self._client_timeout):
                message = await self._receive()
        except TimeoutError:
            msg = f"no piece of a request body came within {self._client_timeout:g} s"
            raise RequestTimeout(msg) from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        return message

    def _start_clock(self) -> None:
        if self._connection.answered:
            return
        error = UpstreamTimeout(f"the upstream did not answer within {self._timeout:g} s")
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._timeout, self._connection.fail, error)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def _too_large(limit: int, *, unread: bool = True) -> BodyTooLarge:
    return BodyTooLarge(f"a request body exceeds {limit} bytes", unread=unread)

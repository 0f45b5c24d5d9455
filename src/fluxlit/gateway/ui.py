"""The UI's way: policy first, then a relay, and one answer when neither succeeds."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from fluxlit._types import HANDOFF, Receive, Scope
from fluxlit.exceptions import (
    BodyTooLarge,
    HandoffError,
    RequestTimeout,
    UpstreamError,
    UpstreamStarting,
)
from fluxlit.frontend import Frontend, Resource
from fluxlit.gateway.access_log import StampedSend
from fluxlit.gateway.connection import Connection, request_head
from fluxlit.gateway.headers import (
    Headers,
    Hop,
    Visitor,
    find,
    to_upstream,
    to_upstream_handshake,
    to_upstream_upgrade,
    visitor_of,
)
from fluxlit.gateway.http_relay import HTTPRelay, RelayRequest, framing_of
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.origin import OriginPolicy
from fluxlit.gateway.pool import ConnectionPool
from fluxlit.gateway.responses import BAD_HOST, CROSS_SITE, answer_for, send_answer
from fluxlit.gateway.routing import raw, target_of
from fluxlit.gateway.upstream import Presence, Upstream, Upstreams, open_connection
from fluxlit.gateway.websocket_relay import SocketRequest, WebSocketRelay
from fluxlit.health import Probe

logger = logging.getLogger("fluxlit.gateway")

_SAFE_METHODS = frozenset({"GET", "HEAD"})


class UserInterface:
    """Serves everything that belongs to the UI from the upstreams.

    Args:
        options: The gateway's configuration.
        upstreams: Picks where a request goes.
        frontend: Serves Streamlit's files and pages; without it the upstreams do.
    """

    def __init__(
        self, options: GatewayOptions, upstreams: Upstreams, frontend: Frontend | None = None
    ) -> None:
        self._upstreams = upstreams
        self._frontend = frontend
        self._presence = Presence(options.connect_timeout)
        self._mount = raw(options.mount)
        self._base = raw(options.ui_path)
        self._health = self._mount + self._base + b"/_stcore/health"
        self._origins = OriginPolicy(options.public_base_url, options.allowed_origins)
        self._hop = Hop(self._mount, options.passed_headers)
        self._pool = ConnectionPool(options)
        self._http_relay = HTTPRelay(self._pool, options)
        self._websocket_relay = WebSocketRelay(options)

    async def __call__(
        self, scope: Scope, rest: bytes, receive: Receive, send: StampedSend, *, trusted: bool
    ) -> None:
        """Serve one exchange.

        Args:
            scope: The client's scope.
            rest: The raw path without the mount.
            receive: The client's events.
            send: Where the answer goes.
            trusted: Whether the peer is a trusted proxy.
        """
        visitor = visitor_of(scope, trusted=trusted)
        if visitor is None:
            await send_answer(scope, send, BAD_HOST, send.request_id)
            return
        relay = self._http if scope["type"] == "http" else self._websocket
        try:
            await relay(scope, rest, visitor, receive, send)
        except (UpstreamError, BodyTooLarge, RequestTimeout) as error:
            # Each browser that waits for the start asks once a second: not news.
            level = logging.DEBUG if isinstance(error, UpstreamStarting) else logging.WARNING
            logger.log(level, "%s: %s", type(error).__name__, error)
            await self._answer(scope, receive, send, error)
        except OSError:  # the client is gone, which its server knows
            raise
        except Exception as error:
            logger.exception("relaying a request to the UI failed")
            await self._answer(scope, receive, send, error)

    async def probe(self, upstream: Upstream, timeout_seconds: float = 2.0) -> Probe:
        """Ask an upstream for its health, on a connection of its own."""
        try:
            async with asyncio.timeout(timeout_seconds):
                status = await self._health_status(upstream, timeout_seconds)
        except TimeoutError:
            return Probe(ok=False, detail=f"no answer within {timeout_seconds:g} s")
        except UpstreamError as error:
            return Probe(ok=False, detail=error.message)
        return Probe(ok=status == 200, detail=f"health answers {status}")

    def close(self) -> None:
        """Drop idle connections."""
        self._pool.close()

    async def _health_status(self, upstream: Upstream, timeout_seconds: float) -> int:
        transport, connection = await open_connection(upstream, Connection, timeout_seconds)
        try:
            headers = [(b"host", b"localhost"), (b"connection", b"close")]
            connection.begin(request_head("GET", self._health, headers), bodyless=False)
            return (await connection.head(timeout_seconds)).status
        finally:
            transport.abort()

    async def _http(
        self, scope: Scope, rest: bytes, visitor: Visitor, receive: Receive, send: StampedSend
    ) -> None:
        if self._frontend is not None and scope["method"] in _SAFE_METHODS:
            resource = await self._frontend.find(rest[len(self._base) :])
            if resource is not None and await self._serve(self._frontend, resource, scope, send):
                return
        headers = to_upstream(scope["headers"], visitor, self._hop)
        request = RelayRequest(
            scope["method"],
            self._target(scope, rest),
            _identified(headers, send),
            framing_of(scope),
            visitor.address,
        )
        await self._http_relay(request, self._upstreams.select(scope), receive, send)

    async def _serve(
        self, frontend: Frontend, resource: Resource, scope: Scope, send: StampedSend
    ) -> bool:
        """Serve what the frontend has; a page only while the worker it talks to is there."""
        if resource.is_page:
            await self._presence.check(self._upstreams.select(scope))
        return await frontend.send(resource, scope, send)

    async def _websocket(
        self, scope: Scope, rest: bytes, visitor: Visitor, receive: Receive, send: StampedSend
    ) -> None:
        origin = find(scope["headers"], b"origin")
        host = self._origins.host_for(
            None if origin is None else origin.decode("latin-1"), visitor.host.decode("latin-1")
        )
        if host is None:
            logger.warning("refused a WebSocket from origin %r", origin)
            await send_answer(scope, send, CROSS_SITE, send.request_id)
            return
        visitor = replace(visitor, host=host.encode("latin-1"))
        upstream = self._upstreams.select(scope)
        if await self._hand_over(scope, rest, visitor, send, upstream):
            return
        headers = to_upstream_handshake(scope["headers"], visitor, self._hop)
        request = SocketRequest(
            self._target(scope, rest),
            _identified(headers, send),
            tuple(scope.get("subprotocols", ())),
            can_answer_http="websocket.http.response" in (scope.get("extensions") or {}),
        )
        await self._websocket_relay(request, upstream, receive, send)

    async def _hand_over(
        self, scope: Scope, rest: bytes, visitor: Visitor, send: StampedSend, upstream: Upstream
    ) -> bool:
        """Hand the browser's socket to the worker, if server and worker can; tell whether."""
        if upstream.handoff_path is None or HANDOFF not in (scope.get("extensions") or {}):
            return False
        headers = to_upstream_upgrade(scope["headers"], visitor, self._hop)
        head = request_head("GET", self._target(scope, rest), _identified(headers, send))
        try:
            await send({"type": HANDOFF, "socket": upstream.handoff_path, "head": head})
        except HandoffError as error:
            logger.debug("relaying instead: %s", error)
            return False
        send.status = 101
        return True

    def _target(self, scope: Scope, rest: bytes) -> bytes:
        return target_of(self._mount + rest, scope.get("query_string", b""))

    async def _answer(
        self, scope: Scope, receive: Receive, send: StampedSend, error: Exception
    ) -> None:
        if send.status == 0:  # never a second answer
            unread = receive if isinstance(error, BodyTooLarge) and error.unread else None
            await send_answer(scope, send, answer_for(error), send.request_id, unread)


def _identified(headers: Headers, send: StampedSend) -> Headers:
    return [*headers, send.stamp]

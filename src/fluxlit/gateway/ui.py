"""The UI's way: policy first, then a relay, and one answer when neither succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from fluxlit._types import HANDOFF, Receive, Scope
from fluxlit.exceptions import (
    BodyTooLarge,
    HandoffError,
    RequestTimeout,
    UpstreamError,
    UpstreamStarting,
    UpstreamUnavailable,
)
from fluxlit.frontend import Frontend, Resource
from fluxlit.gateway.access_log import StampedSend
from fluxlit.gateway.affinity import PinCodec
from fluxlit.gateway.asking import HEALTH, ask_health, reason_of, unwell
from fluxlit.gateway.connection import request_head
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
from fluxlit.gateway.patience import Patience, is_open_page
from fluxlit.gateway.picker import Attempt, Picker
from fluxlit.gateway.pool import ConnectionPool
from fluxlit.gateway.responses import BAD_HOST, CROSS_SITE, answer_for, send_answer
from fluxlit.gateway.routing import raw, target_of
from fluxlit.gateway.upstream import Member, Presence, Upstream, Upstreams
from fluxlit.gateway.websocket_relay import SocketRequest, WebSocketRelay
from fluxlit.health import Probe

logger = logging.getLogger("fluxlit.gateway")

_SAFE_METHODS = frozenset({"GET", "HEAD"})


class UserInterface:
    """Serves everything that belongs to the UI from the upstreams.

    Args:
        options: The gateway's configuration.
        upstreams: Knows the UI workers.
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
        self._health = self._mount + self._base + HEALTH
        codec = PinCodec(options.secret, self._mount + self._base)
        self._picker = Picker(upstreams, codec, self._base)
        self._origins = OriginPolicy(options.public_base_url, options.allowed_origins)
        self._hop = Hop(self._mount, options.passed_headers)
        self._pool = ConnectionPool(options)
        self._http_relay = HTTPRelay(self._pool, options)
        self._patience = Patience(options.page_patience)
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

    async def probe(self, timeout_seconds: float) -> list[Probe]:
        """Ask the worker of each slot for its health, on a connection of its own."""
        newest: dict[int, Member] = {}
        for member in self._upstreams.members():
            if member.serves or member.slot not in newest:
                newest[member.slot] = member
        asked = (self._probe_one(member, timeout_seconds) for member in newest.values())
        return await asyncio.gather(*asked)

    async def _probe_one(self, member: Member, timeout_seconds: float) -> Probe:
        name = member.upstream.name
        if not member.serves:
            return Probe(name, ok=False, detail=member.detail)
        try:
            head = await ask_health(member.upstream, self._health, timeout_seconds)
        except UpstreamError as error:
            logger.debug("asked for its health: %s", error)
            return Probe(name, ok=False, detail=reason_of(error, name))
        return Probe(name, ok=head.status == 200, detail=unwell(head.status))

    def close(self) -> None:
        """Drop idle connections."""
        self._pool.close()

    async def _http(
        self, scope: Scope, rest: bytes, visitor: Visitor, receive: Receive, send: StampedSend
    ) -> None:
        resource = await self._resource(scope, rest)
        page = resource if resource is not None and resource.is_page else None
        if resource is not None and page is None and await self._serve(resource, scope, send):
            return
        headers = to_upstream(scope["headers"], visitor, self._hop)
        request = RelayRequest(
            scope["method"],
            self._target(scope, rest),
            _identified(headers, send),
            framing_of(scope),
            visitor.address,
        )

        async def serve(attempt: Attempt) -> None:
            send.cookie = attempt.cookie
            if page is not None:  # ours to serve, but only while the worker it talks to is there
                await self._presence.check(attempt.upstream)
                if await self._serve(page, scope, send):
                    return
            await self._http_relay(
                _keyed(request, attempt.upstream), attempt.upstream, receive, send
            )

        async def try_all() -> None:
            attempts = self._picker(scope, rest, visitor)
            await _until_reached(attempts, serve, send, repeatable=request.is_repeatable)

        waits = is_open_page(scope, rest.removeprefix(self._base))
        await (self._patience(try_all) if waits else try_all())

    async def _resource(self, scope: Scope, rest: bytes) -> Resource | None:
        """Find what the frontend has for a request."""
        if self._frontend is None or scope["method"] not in _SAFE_METHODS:
            return None
        return await self._frontend.find(rest[len(self._base) :])

    async def _serve(self, resource: Resource, scope: Scope, send: StampedSend) -> bool:
        """Serve what the frontend has; tell whether it did."""
        return self._frontend is not None and await self._frontend.send(resource, scope, send)

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
        named = replace(visitor, host=host.encode("latin-1"))
        await receive()  # "websocket.connect", the only event there can be

        async def serve(attempt: Attempt) -> None:
            if not await self._hand_over(scope, rest, named, send, attempt):
                await self._relay_socket(scope, rest, named, (receive, send), attempt)

        async def try_all() -> None:
            # Under the name that the visitor's other requests have: it is in the cookie's.
            attempts = self._picker(scope, rest, visitor)
            # The client is accepted by nobody before a worker has accepted it.
            await _until_reached(attempts, serve, send, repeatable=True)

        await self._patience(try_all)

    async def _relay_socket(
        self,
        scope: Scope,
        rest: bytes,
        visitor: Visitor,
        client: tuple[Receive, StampedSend],
        attempt: Attempt,
    ) -> None:
        receive, send = client
        headers = to_upstream_handshake(scope["headers"], visitor, self._hop)
        request = SocketRequest(
            self._target(scope, rest),
            [*_identified(headers, send), *attempt.upstream.headers],
            tuple(scope.get("subprotocols", ())),
            can_answer_http="websocket.http.response" in (scope.get("extensions") or {}),
        )
        send.cookie = attempt.cookie
        await self._websocket_relay(request, attempt.upstream, receive, send)

    async def _hand_over(
        self, scope: Scope, rest: bytes, visitor: Visitor, send: StampedSend, attempt: Attempt
    ) -> bool:
        """Hand the browser's socket to the worker, if server and worker can; tell whether."""
        path = attempt.upstream.handoff_path
        if path is None or HANDOFF not in (scope.get("extensions") or {}):
            return False
        headers = to_upstream_upgrade(scope["headers"], visitor, self._hop, attempt.cookie)
        head = request_head("GET", self._target(scope, rest), _identified(headers, send))
        try:
            await send({"type": HANDOFF, "socket": path, "head": head})
        except HandoffError as error:
            logger.debug("relaying instead: %s", error)
            return False
        send.status = 101
        send.handed_over = True
        return True

    def _target(self, scope: Scope, rest: bytes) -> bytes:
        return target_of(self._mount + rest, scope.get("query_string", b""))

    async def _answer(
        self, scope: Scope, receive: Receive, send: StampedSend, error: Exception
    ) -> None:
        if send.status == 0:  # never a second answer
            send.cookie = None
            unread = receive if isinstance(error, BodyTooLarge) and error.unread else None
            await send_answer(scope, send, answer_for(error), send.request_id, unread)


async def _until_reached(
    attempts: Sequence[Attempt],
    serve: Callable[[Attempt], Awaitable[None]],
    send: StampedSend,
    *,
    repeatable: bool,
) -> None:
    """Try workers in turn until one can be reached.

    Args:
        attempts: The workers, the best one first.
        serve: Serves from one of them.
        send: Tells whether the client has an answer.
        repeatable: Whether the request may be sent again when nobody knows whether it arrived.

    Raises:
        UpstreamError: The last one that was tried could not serve.
    """
    failure: UpstreamError = UpstreamStarting("no UI worker is ready")
    for attempt in attempts:
        try:
            await serve(attempt)
        except (UpstreamStarting, UpstreamUnavailable) as error:
            if send.status or not (repeatable or isinstance(error, UpstreamStarting)):
                raise
            failure = error
        else:
            return
    raise failure


def _keyed(request: RelayRequest, upstream: Upstream) -> RelayRequest:
    """Add what this upstream wants to hear with every request."""
    if not upstream.headers:
        return request
    return replace(request, headers=[*request.headers, *upstream.headers])


def _identified(headers: Headers, send: StampedSend) -> Headers:
    return [*headers, send.stamp]

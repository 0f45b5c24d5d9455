"""The one header policy of the UI's hop: what crosses the gateway, and in which form. Pure.

Values stay bytes from door to door: a cookie in raw UTF-8 or Latin-1 arrives as it was sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from fluxlit._headers import (
    FORWARDED,
    HANDED_OVER,
    HOP_BY_HOP,
    IDENTITY,
    IDENTITY_PREFIXES,
    OURS,
    REQUEST_ID,
    SERVER_OWN,
    WEBSOCKET_HANDSHAKE,
)
from fluxlit._types import Scope
from fluxlit.gateway.affinity import without_pins
from fluxlit.gateway.origin import is_valid_host

Headers = list[tuple[bytes, bytes]]

# ``expect`` is answered by the gateway's own server, which then has the body to send.
_REQUEST_DROP = HOP_BY_HOP | FORWARDED | {b"host", b"expect", REQUEST_ID}
_REQUEST_DROP_STRANGER = _REQUEST_DROP | IDENTITY
_RESPONSE_DROP = HOP_BY_HOP | SERVER_OWN | {REQUEST_ID}
_HANDSHAKE_DROP = _RESPONSE_DROP | WEBSOCKET_HANDSHAKE | {b"content-length"}
# A peer cannot declare these hop-by-hop: they frame and address the message itself.
_NEVER_LISTED = frozenset({b"host", b"content-length"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, as far as the gateway vouches for it.

    Attributes:
        host: The public ``Host``.
        address: The visitor's address; empty when unknown (a Unix socket).
        scheme: ``http`` or ``https``.
        trusted: Whether the peer is a trusted proxy, which may state identities.
    """

    host: bytes
    address: str
    scheme: str
    trusted: bool


def visitor_of(scope: Scope, *, trusted: bool) -> Visitor | None:
    """Read the visitor from a scope; ``None`` when its ``Host`` is malformed or contradictory."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    host = hosts[0] if hosts else b"localhost"
    if len(hosts) > 1 or not is_valid_host(host.decode("latin-1")):
        return None
    client = scope.get("client")
    scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
    return Visitor(host, str(client[0]) if client else "", scheme, trusted)


class Hop(NamedTuple):
    """What a gateway knows about the way to its UI.

    Attributes:
        mount: The public path of the app, raw.
        passed: Header names that the app's owner lets through whoever sends them.
    """

    mount: bytes
    passed: frozenset[bytes] = frozenset()


def to_upstream(headers: Iterable[tuple[bytes, bytes]], visitor: Visitor, hop: Hop) -> Headers:
    """Compose the headers of an HTTP request to the UI, the request id excepted.

    Args:
        headers: As the client sent them.
        visitor: Whom the rebuilt forwarding headers describe.
        hop: The way.
    """
    passed = hop.passed - _REQUEST_DROP
    drop = _REQUEST_DROP if visitor.trusted else _REQUEST_DROP_STRANGER
    prefixes = (OURS,) if visitor.trusted else (OURS, *IDENTITY_PREFIXES)
    kept = [
        item
        for item in _without_listed(headers)
        if (item[0] not in drop and not item[0].startswith(prefixes)) or item[0] in passed
    ]
    return [(b"host", visitor.host), *_for_the_app(kept), *_forwarding(visitor, hop.mount)]


def to_upstream_handshake(
    headers: Iterable[tuple[bytes, bytes]], visitor: Visitor, hop: Hop
) -> Headers:
    """Compose the headers of a WebSocket handshake, those of the handshake itself excepted."""
    return [
        item
        for item in to_upstream(headers, visitor, hop)
        if item[0] not in WEBSOCKET_HANDSHAKE and item[0] != b"content-length"
    ]


def to_upstream_upgrade(
    headers: Iterable[tuple[bytes, bytes]],
    visitor: Visitor,
    hop: Hop,
    cookie: bytes | None = None,
) -> Headers:
    """Compose the head of a WebSocket handshake that the UI worker itself is to finish.

    Args:
        headers: As the client sent them.
        visitor: Whom the rebuilt forwarding headers describe.
        hop: The way.
        cookie: What the worker's answer is to set.
    """
    kept = [item for item in to_upstream(headers, visitor, hop) if item[0] != b"content-length"]
    upgrade = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    return [*kept, *upgrade, (HANDED_OVER, cookie or b"")]


def from_upstream(headers: Iterable[tuple[bytes, bytes]], status: int) -> Headers:
    """Filter a response of the UI: order and repetition are kept.

    A 204 and a 304 have no body whatever length they state, and a server that counts would wait.
    """
    kept = [
        item
        for item in _without_listed(headers)
        if item[0] not in _RESPONSE_DROP and not item[0].startswith(OURS)
    ]
    if status in {204, 304}:
        return [item for item in kept if item[0] != b"content-length"]
    return kept


def from_upstream_handshake(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Filter a successful WebSocket handshake: cookies and the like pass."""
    return [item for item in _without_listed(headers) if item[0] not in _HANDSHAKE_DROP]


def find(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of a header.

    >>> find([(b"accept", b"a"), (b"accept", b"b")], b"accept")
    b'a'
    """
    for key, value in headers:
        if key == name:
            return value
    return None


def _for_the_app(headers: Headers) -> Headers:
    """Keep the gateway's own cookie from the app."""
    spared = [
        (name, without_pins(value) if name == b"cookie" else value) for name, value in headers
    ]
    return [item for item in spared if item[0] != b"cookie" or item[1]]


def _without_listed(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    items = list(headers)
    listed = {
        word.strip().lower()
        for name, value in items
        if name == b"connection"
        for word in value.split(b",")
    } - _NEVER_LISTED
    # "keep-alive", "close" and "upgrade" are in the fixed set and need no second pass.
    if listed <= HOP_BY_HOP | {b"close", b""}:
        return items
    return [item for item in items if item[0] not in listed]


def _forwarding(visitor: Visitor, mount: bytes) -> Headers:
    _, _, port = visitor.host.rpartition(b"]")[2].partition(b":")
    built = [
        (b"x-forwarded-host", visitor.host),
        (b"x-forwarded-proto", visitor.scheme.encode("ascii")),
        (b"x-forwarded-port", port or (b"443" if visitor.scheme == "https" else b"80")),
    ]
    if visitor.address:
        built.append((b"x-forwarded-for", visitor.address.encode("latin-1", "replace")))
    if mount:
        built.append((b"x-forwarded-prefix", mount))
    return built

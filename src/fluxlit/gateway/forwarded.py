"""Proxies in front: whom to believe about the visitor, and what they said.

Only a peer that is trusted may speak for others. The nearest address in ``X-Forwarded-For`` that
is not itself trusted is the visitor: everything to its left is hearsay.
"""

from __future__ import annotations

from collections.abc import Iterable

from fluxlit._addresses import Addresses
from fluxlit._types import PEER, Scope

_SCHEMES = frozenset({"http", "https", "ws", "wss"})


class TrustedProxies:
    """Decides whether a peer is trusted, and applies what a trusted one forwards.

    Args:
        proxies: Addresses, CIDR networks, ``"unix"`` or ``"*"``.

    Raises:
        ValueError: An entry is none of these.
    """

    __slots__ = ("_peers",)

    def __init__(self, proxies: Iterable[str]) -> None:
        self._peers = Addresses(proxies)
        if self._peers.names:
            msg = f"no address or network: {', '.join(sorted(self._peers.names))}"
            raise ValueError(msg)

    def trusts(self, host: str | None) -> bool:
        """Tell whether the peer with this address is trusted; ``None`` is a Unix socket."""
        return self._peers.has(host)

    def visitor(self, forwarded_for: str) -> tuple[str, int] | None:
        """Read the visitor's address and port (0 if not given) from ``X-Forwarded-For``.

        >>> TrustedProxies(("10.0.0.0/8",)).visitor("6.6.6.6, 1.2.3.4, 10.0.0.7")
        ('1.2.3.4', 0)
        """
        hops = [split_port(hop.strip()) for hop in forwarded_for.split(",") if hop.strip()]
        if not hops:
            return None
        if self._peers.has_all:
            return hops[0]
        distrusted = (hop for hop in reversed(hops) if not self.trusts(hop[0]))
        return next(distrusted, hops[0])

    def apply(self, scope: Scope) -> tuple[Scope, bool]:
        """Rewrite client, scheme and host as a trusted peer reports them.

        Returns:
            The scope, copied if anything changed, and whether the peer is trusted.
        """
        client = scope.get("client")
        if not self.trusts(client[0] if client else None):
            return scope, False
        return self._rewritten(scope, _forwarding(scope["headers"])), True

    def _rewritten(self, scope: Scope, said: dict[bytes, str]) -> Scope:
        if not said:
            return scope
        scope = dict(scope)
        visitor = self.visitor(said.get(b"x-forwarded-for", ""))
        if visitor is not None:
            scope[PEER] = scope["client"][0] if scope.get("client") else None
            scope["client"] = visitor
        scheme = _first(said.get(b"x-forwarded-proto", "")).lower()
        if scheme in _SCHEMES:
            is_socket = scope["type"] == "websocket"
            scheme = scheme.replace("ws", "http")
            scope["scheme"] = scheme.replace("http", "ws") if is_socket else scheme
        host = _public_host(said)
        if host:
            others = [item for item in scope["headers"] if item[0] != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]
        return scope


def split_port(value: str) -> tuple[str, int]:
    """Part an address from its port, as proxies write the two.

    >>> split_port("1.2.3.4:80"), split_port("[::1]:80"), split_port("::1"), split_port("unknown")
    (('1.2.3.4', 80), ('::1', 80), ('::1', 0), ('unknown', 0))
    """
    if value.startswith("[") and "]" in value:
        host, _, tail = value[1:].partition("]")
        return host, _port(tail.removeprefix(":"))
    if value.count(":") == 1:
        host, _, tail = value.partition(":")
        return host, _port(tail)
    return value, 0


def _port(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 5 else 0


def _forwarding(headers: list[tuple[bytes, bytes]]) -> dict[bytes, str]:
    said: dict[bytes, str] = {}
    for name, value in headers:
        if name.startswith(b"x-forwarded-"):
            text = value.decode("latin-1")
            said[name] = f"{said[name]},{text}" if name in said else text
    return said


def _first(value: str) -> str:
    return value.partition(",")[0].strip()


def _public_host(said: dict[bytes, str]) -> str:
    host = _first(said.get(b"x-forwarded-host", ""))
    port = _port(_first(said.get(b"x-forwarded-port", "")))
    has_port = host.rpartition("]")[2].count(":") == 1
    if not host or not port or has_port or port in {80, 443}:
        return host
    return f"{host}:{port}"

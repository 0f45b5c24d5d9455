"""Who answers a path: decided on the raw path, before anything decodes or normalises it.

A decoded path cannot be routed safely: ``/x%2F..%2Fapi`` and ``/x/../api`` would change owner
between the decision and the delivery.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from urllib.parse import quote

from fluxlit._paths import is_under
from fluxlit.gateway.options import GatewayOptions

_DOCS = (b"/docs", b"/redoc", b"/openapi.json")
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class RouteKind(Enum):
    """The four ends of a path."""

    API = "api"
    UI = "ui"
    REDIRECT = "redirect"
    NOT_FOUND = "not_found"


class Route(NamedTuple):
    """One decision.

    Attributes:
        kind: Who answers.
        rest: The raw path without the mount.
        mounted: Whether the path carried the mount (a proxy may have stripped it).
    """

    kind: RouteKind
    rest: bytes
    mounted: bool


class Router:
    """The routing table of one gateway, prepared once.

    Args:
        options: Mount, prefix, UI path and the pages' own paths.

    Example:
        >>> Router(GatewayOptions()).route("GET", b"/api/users").kind
        <RouteKind.API: 'api'>
    """

    __slots__ = ("_mount", "_prefix", "_redirects", "_ui")

    def __init__(self, options: GatewayOptions) -> None:
        self._mount = raw(options.mount)
        self._prefix = raw(options.prefix)
        self._ui = raw(options.ui_path)
        self._redirects = frozenset() if self._ui else _docs_paths(options.page_paths)

    def route(self, method: str, raw_path: bytes) -> Route:
        """Decide for one request.

        Args:
            method: The HTTP method; empty for a WebSocket, which is never redirected.
            raw_path: The path as it stood in the request line, without the query.
        """
        mount = self._mount
        mounted = is_under(raw_path, mount)
        rest = raw_path[len(mount) :] if mounted else raw_path
        return Route(self._kind(method, rest), rest, mounted)

    def _kind(self, method: str, rest: bytes) -> RouteKind:
        prefix = self._prefix
        if prefix and is_under(rest, prefix):
            return RouteKind.API
        if self._ui or not prefix:
            return self._kind_beside_api(rest)
        if rest in self._redirects and method in _SAFE_METHODS:
            return RouteKind.REDIRECT
        return RouteKind.UI

    def _kind_beside_api(self, rest: bytes) -> RouteKind:
        if self._ui and is_under(rest, self._ui):
            return RouteKind.UI
        return RouteKind.NOT_FOUND if self._prefix else RouteKind.API


def route(method: str, raw_path: bytes, options: GatewayOptions) -> Route:
    """Decide for one request without keeping the table."""
    return Router(options).route(method, raw_path)


def raw(path: str) -> bytes:
    """Spell a path as a request line does.

    >>> raw("/apps/größe")
    b'/apps/gr%C3%B6%C3%9Fe'
    """
    return quote(path, safe="/~!$&'()*+,;=:@%").encode("ascii")


def _docs_paths(page_paths: frozenset[str]) -> frozenset[bytes]:
    taken = {raw(f"/{path.strip('/')}") for path in page_paths}
    free = [path for path in _DOCS if path not in taken]
    return frozenset(free + [path + b"/" for path in free if path != b"/openapi.json"])

"""Who answers a path: decided on the raw path, before anything decodes or normalises it.

A decoded path cannot be routed safely: ``/x%2F..%2Fapi`` and ``/x/../api`` would change owner
between the decision and the delivery.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote

from fluxlit._paths import DEBUG_PATH, is_under
from fluxlit.gateway.options import GatewayOptions

_UNSAFE_IN_TARGET = re.compile(rb"[\x00-\x20\x7f]")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_DEBUG = DEBUG_PATH.encode("ascii")


class RouteKind(Enum):
    """The six ends of a path."""

    API = "api"
    UI = "ui"
    REDIRECT = "redirect"
    METRICS = "metrics"
    DEBUG = "debug"
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
        options: Mount, prefix, UI path, and where the documentation is looked for.

    Example:
        >>> Router(GatewayOptions()).route("GET", b"/api/users").kind
        <RouteKind.API: 'api'>
    """

    __slots__ = ("_metrics", "_mount", "_prefix", "_redirects", "_ui")

    def __init__(self, options: GatewayOptions) -> None:
        self._mount = raw(options.mount)
        self._prefix = raw(options.prefix)
        self._ui = raw(options.ui_path)
        self._metrics = raw(options.metrics_path)
        self._redirects = frozenset() if self._ui else _redirects(options.docs_paths)

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
        if self._metrics and rest == self._metrics and method in _SAFE_METHODS:
            return RouteKind.METRICS
        if prefix and is_under(rest, prefix):
            return RouteKind.API
        if rest == _DEBUG and method in _SAFE_METHODS:
            return RouteKind.DEBUG
        if self._ui or not prefix:
            return self._kind_beside_api(rest)
        if rest in self._redirects and method in _SAFE_METHODS:
            return RouteKind.REDIRECT
        return RouteKind.UI

    def _kind_beside_api(self, rest: bytes) -> RouteKind:
        if self._ui and is_under(rest, self._ui):
            return RouteKind.UI
        return RouteKind.NOT_FOUND if self._prefix else RouteKind.API


def raw(path: str) -> bytes:
    """Spell a path as a request line does.

    >>> raw("/apps/größe")
    b'/apps/gr%C3%B6%C3%9Fe'
    """
    return quote(path, safe="/~!$&'()*+,;=:@%").encode("ascii")


def target_of(path: bytes, query: bytes) -> bytes:
    r"""Compose a request target; only what would break the request line is escaped.

    >>> target_of(b"/a%2Fb/../\x01", b"q=%zz")
    b'/a%2Fb/../%01?q=%zz'
    """
    target = b"%b?%b" % (path, query) if query else path
    if not target.startswith(b"/"):
        target = b"/" + target
    return _UNSAFE_IN_TARGET.sub(lambda match: b"%%%02X" % match[0][0], target)


def _redirects(docs_paths: frozenset[str]) -> frozenset[bytes]:
    """Spell the paths as they come in: a page's also with a final slash, a file's not."""
    paths = [raw(path) for path in docs_paths]
    return frozenset(paths + [path + b"/" for path in paths if b"." not in path])

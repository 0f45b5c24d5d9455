"""May this site open a WebSocket to the UI? Pure.

Browsers send ``Origin`` with every WebSocket and apply no same-origin rule to it, so the server
must (RFC 6455 section 10.2). Streamlit asks the same question by comparing ``Origin`` with
``Host``; whenever the answer here is yes for another origin, that origin's host is what the
upstream must see as ``Host``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]+)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#\s]+)(?:[/?#]\S*)?")


class Origin(NamedTuple):
    """A parsed origin; ``port`` is explicit where its scheme has a default."""

    scheme: str
    host: str
    port: int | None


def is_valid_host(value: str) -> bool:
    """Tell whether a ``Host`` value has the form that RFC 9110 section 7.2 gives it.

    >>> is_valid_host("example.org:8000"), is_valid_host("[::1]:80"), is_valid_host("a:²")
    (True, True, False)
    """
    return _HOST.fullmatch(value.lower()) is not None


def parse_origin(value: str) -> Origin | None:
    """Read an origin, or the origin of a URL; ``None`` when it is not one (``null`` included).

    >>> parse_origin("HTTPS://Example.org/app")
    Origin(scheme='https', host='example.org', port=443)
    """
    match = _ORIGIN.fullmatch(value.strip().lower())
    if match is None:
        return None
    scheme, netloc = match.groups()
    host = _HOST.fullmatch(netloc)
    if host is None:
        return None
    port = int(host[2]) if host[2] else _DEFAULT_PORTS.get(scheme)
    return Origin(scheme, host[1], port)


class OriginPolicy:
    """The rule of one gateway.

    Args:
        public_base_url: The app's own address; its origin is always welcome.
        allowed_origins: Further origins; ``"*"`` welcomes all.
    """

    __slots__ = ("_any", "_welcome")

    def __init__(self, public_base_url: str, allowed_origins: tuple[str, ...]) -> None:
        parsed = (parse_origin(value) for value in (public_base_url, *allowed_origins))
        self._welcome = frozenset(origin for origin in parsed if origin is not None)
        self._any = "*" in allowed_origins

    def host_for(self, origin: str | None, host: str) -> str | None:
        """Answer with the ``Host`` to send upstream, or ``None`` to refuse.

        Args:
            origin: The ``Origin`` header, if there was one.
            host: The public host that the request was sent to.
        """
        if origin is None:
            return host
        parsed = parse_origin(origin)
        if parsed is None:
            return None
        if _is_same_host(parsed, host):
            return host
        if self._any or parsed in self._welcome:
            return netloc(parsed)
        return None


def netloc(origin: Origin) -> str:
    """Spell an origin's host as a browser writes it into ``Host``.

    >>> netloc(Origin("https", "example.org", 443)), netloc(Origin("http", "a", 8000))
    ('example.org', 'a:8000')
    """
    if origin.port is None or origin.port == _DEFAULT_PORTS.get(origin.scheme):
        return origin.host
    return f"{origin.host}:{origin.port}"


def _is_same_host(origin: Origin, host: str) -> bool:
    match = _HOST.fullmatch(host.strip().lower())
    if match is None:
        return False
    port = int(match[2]) if match[2] else _DEFAULT_PORTS.get(origin.scheme)
    return (origin.host, origin.port) == (match[1], port)

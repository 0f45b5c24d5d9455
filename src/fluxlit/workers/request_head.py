"""What is wrong with a request's head, beyond what the parser refuses (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import httptools

Header = tuple[bytes, bytes]

Fault = tuple[HTTPStatus, str]
"""The status that a request is refused with, and why."""

MALFORMED: Final[Fault] = (HTTPStatus.BAD_REQUEST, "The request is malformed")
TOO_LARGE: Final[Fault] = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large")

_NOT_ONE_HOST: Final = (HTTPStatus.BAD_REQUEST, "A request has one Host header")
_CONTRADICTION: Final = (HTTPStatus.BAD_REQUEST, "Target and Host name different places")
_BAD_HANDSHAKE: Final = (
    HTTPStatus.BAD_REQUEST,
    "A WebSocket handshake is a GET without a body",
)


def host_fault(url: bytes, headers: Sequence[Header], http_version: str) -> Fault | None:
    """Find out whether a request says clearly which host it is for.

    >>> host_fault(b"/", [(b"host", b"a")], "1.1")
    >>> host_fault(b"http://b/", [(b"host", b"a")], "1.1")[1]
    'Target and Host name different places'
    """
    hosts = [value for name, value in headers if name == b"host"]
    # RFC 9112 section 3.2.
    if len(hosts) > 1 or not (hosts or http_version != "1.1"):
        return _NOT_ONE_HOST
    if not url.startswith(b"/") and not _is_at(url, hosts):
        return _CONTRADICTION
    return None


def _is_at(url: bytes, hosts: Sequence[bytes]) -> bool:
    """Tell whether a target in absolute form agrees with ``Host`` (RFC 9112 section 3.2.2)."""
    parsed = httptools.parse_url(url)
    authority = parsed.host or b""
    if parsed.port:
        authority += b":%d" % parsed.port
    return bool(authority) and all(host.lower() == authority.lower() for host in hosts)


def handshake_fault(method: bytes, url: bytes, headers: Sequence[Header]) -> Fault | None:
    """Find out whether a WebSocket's handshake is one (RFC 6455 section 4.1)."""
    fields = dict(headers)
    has_body = b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0"
    return _BAD_HANDSHAKE if has_body or method != b"GET" or not url.isascii() else None


def size_of(method: bytes, url: bytes, headers: Sequence[Header]) -> int:
    """Return the bytes of a head in its plainest spelling.

    >>> size_of(b"GET", b"/", [(b"host", b"a")])
    27
    """
    line = len(method) + len(url) + len(b"  HTTP/1.1\r\n")
    return line + sum(len(name) + len(value) + 4 for name, value in headers) + 2

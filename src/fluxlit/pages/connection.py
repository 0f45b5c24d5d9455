"""The request that opened a page, in the form in which FastAPI's dependencies take one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.types import Message

from fluxlit.pages.run import Run
from fluxlit.pages.visit import Visit

CONNECTIONS: Final = frozenset({HTTPConnection, Request})
"""Classes under which a function may ask for it, its subclasses not among them."""


@dataclass(frozen=True, slots=True)
class FromConnection:
    """The request itself."""

    def value(self, run: Run) -> Request:
        """Return it."""
        return request_of(run.visit)


def request_of(visit: Visit) -> Request:
    """Make a request for the page's own address, with the visitor's headers and without a body.

    It has no ``app``, and its ``state`` is empty: pages live in another process than the API.
    """
    address = urlsplit(visit.url())
    port = {"https": 443}.get(address.scheme, 80) if address.port is None else address.port
    client = visit.client()
    headers = [(name.lower(), value) for name, value in visit.header_lines()]
    if address.netloc and not any(name == "host" for name, _ in headers):
        headers.append(("host", address.netloc))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": address.scheme or "http",
        "path": unquote(address.path) or "/",
        "raw_path": address.path.encode() or b"/",
        "root_path": "",
        "query_string": urlencode(visit.query(), doseq=True).encode(),
        "headers": [(name.encode("latin-1"), _line(value)) for name, value in headers],
        "server": (address.hostname or "", port),
        "client": (client, 0) if client else None,
        "state": {},
    }
    return Request(scope, _no_body)


def _line(value: str) -> bytes:
    return value.encode("latin-1", errors="replace")


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}

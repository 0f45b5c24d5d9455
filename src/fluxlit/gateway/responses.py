"""THE table from failure to answer, and the only code that writes such an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

from fluxlit._types import Receive, Scope, Send
from fluxlit.exceptions import (
    BodyTooLarge,
    RequestTimeout,
    UpstreamBusy,
    UpstreamStarting,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from fluxlit.gateway.headers import Headers, find

_WAITING_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="{seconds}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{heading}…</title>
<style>
body { margin: 0; min-height: 100vh; display: grid; place-items: center; text-align: center;
  font: 16px/1.5 system-ui, sans-serif; color: #31333f; background: #fff; }
h1 { font-size: 1.25rem; font-weight: 600; margin: 1.25rem 0 .25rem; }
p { margin: 0; opacity: .7; }
.ring { width: 2.5rem; height: 2.5rem; margin: auto; border-radius: 50%;
  border: 3px solid #8884; border-top-color: #ff4b4b; animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(360deg); } }
@media (prefers-color-scheme: dark) { body { color: #fafafa; background: #0e1117; } }
@media (prefers-reduced-motion: reduce) { .ring { animation: none; } }
</style>
</head>
<body>
<main role="status"><div class="ring"></div><h1>{heading}</h1>
<p>This page opens by itself in a moment.</p></main>
</body>
</html>
"""


def _waiting_page(heading: str, seconds: int) -> bytes:
    page = _WAITING_PAGE.replace("{heading}", heading).replace("{seconds}", str(seconds))
    return page.encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client is told.

    Attributes:
        status: The HTTP status, also of a refused WebSocket handshake.
        close_code: The WebSocket close code where a handshake cannot carry a status.
        detail: One sentence without internals.
        retry_after: Seconds after which to ask again; 0 says nothing about it.
        close: Whether the connection is unusable afterwards (an unread body).
        page: What a browser that opens a page is shown instead of JSON.
    """

    status: int
    close_code: int
    detail: str
    retry_after: int = 0
    close: bool = False
    page: bytes = field(default=b"", repr=False)


NOT_FOUND = Answer(404, 1008, "Not Found")
NOT_COUNTING = Answer(503, 1013, "Nothing is counted outside a running service.")
BAD_HOST = Answer(400, 1008, "The Host header is malformed")
CROSS_SITE = Answer(403, 1008, "This origin may not open a WebSocket here")
INTERNAL = Answer(500, 1011, "Internal Server Error")

_TABLE: dict[type[Exception], Answer] = {
    UpstreamStarting: Answer(
        503,
        1013,
        "The user interface is starting",
        retry_after=1,
        page=_waiting_page("Starting the app", 1),
    ),
    UpstreamBusy: Answer(
        503,
        1013,
        "The user interface is busy",
        retry_after=2,
        page=_waiting_page("The app is busy", 2),
    ),
    UpstreamUnavailable: Answer(502, 1014, "The user interface cannot be reached"),
    UpstreamTimeout: Answer(504, 1014, "The user interface did not answer in time"),
    RequestTimeout: Answer(408, 1008, "The request body did not arrive in time", close=True),
    BodyTooLarge: Answer(413, 1009, "The request body is too large", close=True),
}

LINGER_SECONDS = 2.0
"""Time for a client to stop sending a body that is not read (as nginx's ``lingering_timeout``)."""


def answer_for(error: Exception) -> Answer:
    """Look a failure up; anything that is not in the table is an internal error."""
    return next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), INTERNAL)


async def send_answer(
    scope: Scope, send: Send, answer: Answer, request_id: str, receive: Receive | None = None
) -> None:
    """Write an answer on an HTTP exchange or on a WebSocket that is not accepted yet.

    Args:
        scope: The client's scope.
        send: Where the answer goes.
        answer: What to say.
        request_id: Named in the body.
        receive: Given when a body was left unread. It is read for a moment more: a connection
            that is closed with bytes unread is reset, and the client may lose the answer
            (RFC 9112 section 9.6).
    """
    is_socket = scope["type"] == "websocket"
    if is_socket and "websocket.http.response" not in (scope.get("extensions") or {}):
        close = {"type": "websocket.close", "code": answer.close_code, "reason": answer.detail}
        await send(close)
        return
    body, content_type = _body(scope, answer, request_id)
    event = "websocket.http.response" if is_socket else "http.response"
    headers = _headers(answer, content_type, len(body))
    await send({"type": f"{event}.start", "status": answer.status, "headers": headers})
    if receive is not None and not is_socket:
        await send({"type": f"{event}.body", "body": body, "more_body": True})
        await _discard(receive)
        body = b""
    await send({"type": f"{event}.body", "body": body})


async def _discard(receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass


async def send_redirect(send: Send, location: bytes) -> None:
    """Write a temporary redirect that keeps the method."""
    headers = [(b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _body(scope: Scope, answer: Answer, request_id: str) -> tuple[bytes, bytes]:
    if answer.page and _is_browser(scope):
        return answer.page, b"text/html; charset=utf-8"
    content = {"detail": answer.detail, "request_id": request_id}
    return json.dumps(content).encode(), b"application/json"


def _is_browser(scope: Scope) -> bool:
    if scope.get("method") not in {"GET", "HEAD"}:
        return False
    return b"text/html" in (find(scope["headers"], b"accept") or b"")


def _headers(answer: Answer, content_type: bytes, length: int) -> Headers:
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % length),
        (b"cache-control", b"no-store"),
    ]
    if answer.retry_after:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    if answer.close:
        headers.append((b"connection", b"close"))
    return headers

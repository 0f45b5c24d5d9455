"""The send side of one exchange: stamps the request id, remembers the status, and logs it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable
from time import perf_counter

from fluxlit._headers import REQUEST_ID
from fluxlit._types import HANDOFF, Message, Scope, Send
from fluxlit.logging import (
    DEFAULT_SENSITIVE_QUERY_KEYS,
    GATEWAY_ACCESS_LOG_FIELDS,
    redact_query_string,
)
from fluxlit.metrics import Dispatch

logger = logging.getLogger("fluxlit.access")
api_logger = logging.getLogger("fluxlit.api")

_CLOSE = (b"connection", b"close")


class StampedSend:
    """Wraps ``send``: each response carries the request id unless the application set one.

    It is the one object that a request costs, so it hands the inner awaitable through instead of
    adding a coroutine to every event.

    Args:
        send: The server's.
        request_id: Well-formed.
        http_version: The exchange's; empty for a WebSocket.

    Attributes:
        request_id: What responses are stamped with.
        stamp: The same, as a header.
        cookie: A ``Set-Cookie`` value that goes out with the response, if any.
        status: The status that went out; 0 before any, 101 for an accepted WebSocket.
        dispatch: Who answers, as metrics call it; None for what the gateway answers itself.
        handed_over: Whether a worker serves this WebSocket now.
    """

    __slots__ = (
        "_http_version",
        "_send",
        "cookie",
        "dispatch",
        "handed_over",
        "request_id",
        "stamp",
        "status",
    )

    def __init__(self, send: Send, request_id: str, http_version: str = "") -> None:
        self._send = send
        self._http_version = http_version
        self.request_id = request_id
        self.stamp = (REQUEST_ID, request_id.encode("latin-1"))
        self.cookie: bytes | None = None
        self.dispatch: Dispatch | None = "api"
        self.status = 0
        self.handed_over = False

    def __call__(self, message: Message) -> Awaitable[None]:
        """Pass an event on; the first one that starts a response gets the stamp."""
        if self.status == 0:
            message = self._started(message)
        return self._send(message)

    def _started(self, message: Message) -> Message:
        kind = message["type"]
        if kind == HANDOFF:
            return message  # only the relay that may follow a failed one starts a response
        if kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close":
            self.status = 403
            return message
        elif "status" not in message:
            return message  # a hint or a push, before the response
        else:
            self.status = message["status"]
        cookies = () if self.cookie is None else ((b"set-cookie", self.cookie),)
        return _stamped(message, self.stamp, cookies, self._http_version)


def stamped_send(send: Send, stamp: tuple[bytes, bytes], http_version: str) -> Send:
    """Stamp the response of an HTTP exchange that nobody watches.

    Args:
        send: The server's.
        stamp: The request id, as a header.
        http_version: The exchange's, as in its scope.
    """

    def stamping(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message = _stamped(message, stamp, (), http_version)
        return send(message)

    return stamping


def _stamped(
    message: Message,
    stamp: tuple[bytes, bytes],
    more: tuple[tuple[bytes, bytes], ...],
    http_version: str,
) -> Message:
    """Add headers to the event that starts a response; the id only if the app has set none."""
    if message.get("status") == 500 and http_version.startswith("1"):
        # An app that answers so often raises too, whereupon Uvicorn closes the connection: a
        # client that had not been told would send its next request into that.
        more = (*more, _CLOSE)
    headers = message.get("headers", ())
    for name, _ in headers:
        if name == REQUEST_ID:
            break
    else:
        more = (*more, stamp)
    # The list may belong to a response object that the application sends again: copy it.
    return {**message, "headers": [*headers, *more]}


class AccessLog:
    """Writes one line for each finished exchange.

    Args:
        log: Where to.
        secret_keys: Query parameters whose values are left out, besides the usual ones.
        api_only: Leave out what the API does not answer.
    """

    def __init__(
        self, log: logging.Logger, secret_keys: Iterable[str] = (), *, api_only: bool = False
    ) -> None:
        self._log = log
        self._secret_keys = DEFAULT_SENSITIVE_QUERY_KEYS | frozenset(secret_keys)
        self._api_only = api_only

    def note(self, scope: Scope, sent: StampedSend, started: float) -> None:
        """Write the line of one."""
        if self._api_only and sent.dispatch != "api":
            return
        text = scope.get("query_string", b"").decode("latin-1")
        query = redact_query_string(text, sensitive_keys=self._secret_keys)
        path = shown_path(scope)
        method = scope.get("method", "WEBSOCKET")
        elapsed_ms = (perf_counter() - started) * 1000
        who = sent.dispatch or "gateway"
        values = (sent.request_id, who, method, path, query, sent.status, elapsed_ms)
        self._log.info(
            "%s %s%s %d %.1fms request_id=%s",
            method,
            path,
            f"?{query}" if query else "",
            sent.status,
            elapsed_ms,
            sent.request_id,
            extra=dict(zip(GATEWAY_ACCESS_LOG_FIELDS, values, strict=True)),
        )


def shown_path(scope: Scope) -> str:
    """Return a request's path as a log may show it: escaped, so that it writes no lines itself."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return raw_path.decode("latin-1").encode("unicode_escape").decode("ascii")

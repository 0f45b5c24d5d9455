"""What a gateway leaves to the worker that takes a WebSocket over: a cookie, and the end."""

from __future__ import annotations

import time
from collections.abc import Callable

from fluxlit._headers import HANDED_OVER
from fluxlit._types import ASGIApp, Message, Receive, Scope, Send


class Adopted:
    """An app whose handed-over WebSockets are opened and closed as their gateway would do it.

    They are known by a header that only gateways can add. Its value, a cookie, goes out with the
    answer to the handshake; the app sees nothing of it.

    Args:
        app: The app.
        observe: Told for how many seconds one was open, as nobody else can know.
    """

    def __init__(self, app: ASGIApp, observe: Callable[[float], None] | None = None) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        cookie = _cookie(scope) if scope["type"] == "websocket" else None
        if cookie is None:
            await self._app(scope, receive, send)
            return
        scope = {**scope, "headers": [it for it in scope["headers"] if it[0] != HANDED_OVER]}
        started = time.perf_counter()
        try:
            await self._app(scope, receive, _setting(cookie, send) if cookie else send)
        finally:
            if self._observe is not None:
                self._observe(time.perf_counter() - started)


def _cookie(scope: Scope) -> bytes | None:
    """Return what the gateway said, perhaps nothing; None for a WebSocket that it relays."""
    for name, value in scope["headers"]:
        if name == HANDED_OVER:
            return bytes(value)
    return None


def _setting(cookie: bytes, send: Send) -> Send:
    async def answered(message: Message) -> None:
        if message["type"] == "websocket.accept":
            headers = [*message.get("headers", ()), (b"set-cookie", cookie)]
            message = {**message, "headers": headers}
        await send(message)

    return answered

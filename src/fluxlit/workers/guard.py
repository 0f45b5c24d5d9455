"""Lets in only who shows the key: for ports, which everybody on a machine or network can reach."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from fluxlit._headers import KEY
from fluxlit._types import ASGIApp, Message, Receive, Scope, Send

_REFUSAL: Final = b"This is a private door; come in by the service's own address."

Told = Callable[[], list[tuple[bytes, bytes]]]
"""Returns headers for an answer."""


class Guarded:
    """An app that nothing reaches without the key, which the app itself does not see.

    Args:
        app: The app.
        key: The key.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == KEY]
        if len(given) != 1 or not hmac.compare_digest(given[0], self._key):
            await _refuse(scope, send)
            return
        headers = [item for item in scope["headers"] if item[0] != KEY]
        await self._app({**scope, "headers": headers}, receive, send)


async def _refuse(scope: Scope, send: Send) -> None:
    is_socket = scope["type"] == "websocket"
    if is_socket and "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    event = "websocket.http.response" if is_socket else "http.response"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_REFUSAL)),
        (b"connection", b"close"),  # whatever body there is is not read
    ]
    await send({"type": f"{event}.start", "status": 403, "headers": headers})
    await send({"type": f"{event}.body", "body": _REFUSAL})


class ByPort:
    """Two apps of one server, told apart by the port that a connection came to.

    Args:
        app: Serves all ports but one, and the lifespan.
        port: That one.
        private: Serves it.
    """

    def __init__(self, app: ASGIApp, port: int, private: ASGIApp) -> None:
        self._app = app
        self._port = port
        self._private = private

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one scope."""
        server = scope.get("server")
        is_private = server is not None and server[1] == self._port
        return (self._private if is_private else self._app)(scope, receive, send)


class Telling:
    """An app whose answer to one path tells more than the app says.

    Args:
        app: The app.
        path: The path.
        told: What the answer tells besides.
    """

    def __init__(self, app: ASGIApp, path: str, told: Told) -> None:
        self._app = app
        self._path = path
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._told()]}
            await send(message)

        is_told = scope["type"] == "http" and scope["path"] == self._path
        await self._app(scope, receive, telling if is_told else send)

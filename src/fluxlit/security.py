"""Headers that make browsers careful with the API's answers (OWASP Secure Headers Project)."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from fluxlit._types import Message, Receive, Scope, Send

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "strict-origin-when-cross-origin",
}

HSTS: Final = "max-age=63072000; includeSubDomains"
"""Two years (RFC 6797 section 6.1); only where the visitor came by https."""


class SecurityHeadersMiddleware(BaseHTTPMiddleware):
    """Adds these headers to every answer that does not set them itself.

    Whether the visitor came by https is the scope's word, into which the gateway has put what a
    trusted proxy says. In a stack of ASGI apps nothing is buffered; :meth:`dispatch` is for those
    who call it as Starlette's own.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": list(message.get("headers", ()))}
                add_security_headers(MutableHeaders(scope=message), scope["scheme"])
            await send(message)

        await self.app(scope, receive, send_with_headers)

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer one request."""
        response = await call_next(request)
        add_security_headers(response.headers, request.url.scheme)
        return response


def add_security_headers(headers: MutableHeaders, scheme: str) -> None:
    """Add what an answer lacks.

    Args:
        headers: The answer's.
        scheme: By which the visitor came.
    """
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scheme == "https":
        headers.setdefault("strict-transport-security", HSTS)

"""Asks an upstream how it is, on a connection of its own."""

from __future__ import annotations

import asyncio

from fluxlit.exceptions import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from fluxlit.gateway.connection import Connection, ResponseHead, request_head
from fluxlit.gateway.upstream import Upstream, open_connection

HEALTH = b"/_stcore/health"
"""Where Streamlit tells, under the UI's path."""


async def ask_health(upstream: Upstream, target: bytes, timeout_seconds: float) -> ResponseHead:
    """Ask for the head of the answer at *target*.

    Raises:
        UpstreamError: There is none, or none in time.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            transport, connection = await open_connection(upstream, Connection, timeout_seconds)
            try:
                host = upstream.url.partition("://")[2].encode("ascii", "replace")
                headers = [(b"host", host), (b"connection", b"close"), *upstream.headers]
                connection.begin(request_head("GET", target, headers), bodyless=False)
                return await connection.head(timeout_seconds)
            finally:
                transport.abort()
    except TimeoutError:
        msg = f"no answer within {timeout_seconds:g} s"
        raise UpstreamTimeout(msg) from None


def unwell(status: int) -> str:
    """Say what is wrong with an upstream that answers for its health; nothing if it is well.

    >>> unwell(200), unwell(403), unwell(503)
    ('', 'it does not accept the key: FLUXLIT_UI_SECRET differs', 'health answers 503')
    """
    if status == 200:
        return ""
    if status == 403:
        return "it does not accept the key: FLUXLIT_UI_SECRET differs"
    return f"health answers {status}"


def reason_of(error: UpstreamError, name: str) -> str:
    """Say why an upstream could not be asked, but not where it is: readiness tells it to all."""
    if isinstance(error, UpstreamUnavailable):
        return "cannot be reached"
    return error.message.removeprefix(f"{name}: ")

"""The ground types: ASGI as Starlette spells it, and JSON."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

HANDOFF = "fluxlit.handoff"
"""The ASGI extension and event by which a WebSocket is handed over (workers/handoff.py)."""

PEER = "fluxlit.peer"
"""In the scope of a request, the address of the proxy that it came from; absent without one."""

PUBLIC_URLS = "fluxlit_urls"
"""Attribute of ``app.api.state`` that holds the app's public addresses."""

RUN_DIRECTORY = "fluxlit_run_directory"
"""Attribute of ``app.api.state`` that holds the service's run directory; none where workers
share nothing."""

__all__ = [
    "HANDOFF",
    "PEER",
    "PUBLIC_URLS",
    "RUN_DIRECTORY",
    "ASGIApp",
    "JsonValue",
    "Message",
    "Receive",
    "Scope",
    "Send",
]

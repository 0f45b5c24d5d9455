"""The ground types: ASGI as Starlette spells it, and JSON."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

HANDOFF = "fluxlit.handoff"
"""The ASGI extension and event by which a WebSocket is handed over (workers/handoff.py)."""

__all__ = ["HANDOFF", "ASGIApp", "JsonValue", "Message", "Receive", "Scope", "Send"]

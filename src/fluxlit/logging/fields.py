"""The names that log records carry beyond :mod:`logging`'s own; collectors may rely on them."""

from __future__ import annotations

from typing import Final

GATEWAY_ACCESS_LOG_FIELDS: Final = (
    "request_id",
    "fluxlit_dispatch",
    "http_method_or_type",
    "path",
    "query",
    "fluxlit_status",
    "fluxlit_duration_ms",
)
"""Extras of a record of ``fluxlit.access`` and ``fluxlit.api``; a query comes redacted."""

JSON_LOG_BASE_FIELDS: Final = ("time", "level", "logger", "message")
"""What every line of :class:`~fluxlit.logging.JsonLogFormatter` has."""

"""What one connection to a worker's server may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fluxlit.config import FluxlitSettings


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The bounds of one connection that Uvicorn has no setting for.

    Attributes:
        max_head_bytes: Largest request head.
        head_timeout: Seconds to finish one, from the connection or its first byte on.
        client_timeout: Seconds that a client may leave without reading while there is something
            for it to read.
        ws_close_timeout: Seconds for a client to answer a WebSocket's close.
    """

    max_head_bytes: int = 64 * 1024
    head_timeout: float = 10.0
    client_timeout: float = 60.0
    ws_close_timeout: float = 10.0

    @classmethod
    def from_settings(cls, settings: FluxlitSettings) -> ConnectionLimits:
        """Take the limits from an app's settings."""
        return cls(
            max_head_bytes=settings.gateway_max_request_head_bytes,
            head_timeout=settings.gateway_request_head_timeout_s,
            client_timeout=settings.gateway_client_timeout_s,
            ws_close_timeout=settings.gateway_ws_close_timeout_s or DEFAULT_LIMITS.ws_close_timeout,
        )


DEFAULT_LIMITS: Final = ConnectionLimits()

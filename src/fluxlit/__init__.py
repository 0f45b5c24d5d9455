"""A FastAPI API and a Streamlit UI behind one object, one command, one port.

The names below are imported when they are first used, so that the command line and the
supervisor, which need none of them, start at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxlit._lazy import lazy_face
from fluxlit._version import __version__

if TYPE_CHECKING:
    from fluxlit.app import FluxLit
    from fluxlit.client import ApiClient
    from fluxlit.config import FluxlitSettings
    from fluxlit.urls import FluxLitPublicUrls

__all__ = [
    "ApiClient",
    "FluxLit",
    "FluxLitPublicUrls",
    "FluxlitSettings",
    "__version__",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "ApiClient": "fluxlit.client",
        "FluxLit": "fluxlit.app",
        "FluxLitPublicUrls": "fluxlit.urls",
        "FluxlitSettings": "fluxlit.config",
    },
)

"""A FastAPI API and a Streamlit UI behind one object, one command, one port.

The names below are imported when they are first used, so that the command line and the
supervisor, which need none of them, start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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

_HOME = {
    "ApiClient": "fluxlit.client",
    "FluxLit": "fluxlit.app",
    "FluxLitPublicUrls": "fluxlit.urls",
    "FluxlitSettings": "fluxlit.config",
}


def __getattr__(name: str) -> object:
    """Import a public name (PEP 562)."""
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

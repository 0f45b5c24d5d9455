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
    from fluxlit.deep_links import match_nav_page, query_params
    from fluxlit.pages import (
        Cookie,
        Depends,
        Header,
        NavigationModel,
        Page,
        PageMeta,
        Query,
        SessionModel,
        parse_query_params,
    )
    from fluxlit.stores import SessionStore
    from fluxlit.urls import FluxLitPublicUrls

__all__ = [
    "ApiClient",
    "Cookie",
    "Depends",
    "FluxLit",
    "FluxLitPublicUrls",
    "FluxlitSettings",
    "Header",
    "NavigationModel",
    "Page",
    "PageMeta",
    "Query",
    "SessionModel",
    "SessionStore",
    "__version__",
    "match_nav_page",
    "parse_query_params",
    "query_params",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "ApiClient": "fluxlit.client",
        "Cookie": "fluxlit.pages",
        "Depends": "fluxlit.pages",
        "FluxLit": "fluxlit.app",
        "FluxLitPublicUrls": "fluxlit.urls",
        "FluxlitSettings": "fluxlit.config",
        "Header": "fluxlit.pages",
        "NavigationModel": "fluxlit.pages",
        "Page": "fluxlit.pages",
        "PageMeta": "fluxlit.pages",
        "Query": "fluxlit.pages",
        "SessionModel": "fluxlit.pages",
        "SessionStore": "fluxlit.stores",
        "match_nav_page": "fluxlit.deep_links",
        "parse_query_params": "fluxlit.pages",
        "query_params": "fluxlit.deep_links",
    },
)

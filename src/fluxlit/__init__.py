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
    from fluxlit.stores import InMemorySessionStore, SessionStore
    from fluxlit.testing import (
        FluxLitTestClient,
        apptest_assert_no_errors,
        apptest_select_page,
        assert_no_streamlit_exception,
        streamlit_main_path,
    )
    from fluxlit.tracing import reset_trace_hook, set_trace_hook, trace_span
    from fluxlit.url_session import (
        ensure_url_session,
        hydrate_url_session,
        hydrate_url_session_typed,
        new_session_id,
        persist_url_session,
    )
    from fluxlit.urls import FluxLitPublicUrls

__all__ = [
    "ApiClient",
    "Cookie",
    "Depends",
    "FluxLit",
    "FluxLitPublicUrls",
    "FluxLitTestClient",
    "FluxlitSettings",
    "Header",
    "InMemorySessionStore",
    "NavigationModel",
    "Page",
    "PageMeta",
    "Query",
    "SessionModel",
    "SessionStore",
    "__version__",
    "apptest_assert_no_errors",
    "apptest_select_page",
    "assert_no_streamlit_exception",
    "ensure_url_session",
    "hydrate_url_session",
    "hydrate_url_session_typed",
    "match_nav_page",
    "new_session_id",
    "parse_query_params",
    "persist_url_session",
    "query_params",
    "reset_trace_hook",
    "set_trace_hook",
    "streamlit_main_path",
    "trace_span",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "ApiClient": "fluxlit.client",
        "Cookie": "fluxlit.pages",
        "Depends": "fluxlit.pages",
        "FluxLit": "fluxlit.app",
        "FluxLitPublicUrls": "fluxlit.urls",
        "FluxLitTestClient": "fluxlit.testing",
        "FluxlitSettings": "fluxlit.config",
        "Header": "fluxlit.pages",
        "InMemorySessionStore": "fluxlit.stores",
        "NavigationModel": "fluxlit.pages",
        "Page": "fluxlit.pages",
        "PageMeta": "fluxlit.pages",
        "Query": "fluxlit.pages",
        "SessionModel": "fluxlit.pages",
        "SessionStore": "fluxlit.stores",
        "apptest_assert_no_errors": "fluxlit.testing",
        "apptest_select_page": "fluxlit.testing",
        "assert_no_streamlit_exception": "fluxlit.testing",
        "ensure_url_session": "fluxlit.url_session",
        "hydrate_url_session": "fluxlit.url_session",
        "hydrate_url_session_typed": "fluxlit.url_session",
        "match_nav_page": "fluxlit.deep_links",
        "new_session_id": "fluxlit.url_session",
        "parse_query_params": "fluxlit.pages",
        "persist_url_session": "fluxlit.url_session",
        "query_params": "fluxlit.deep_links",
        "reset_trace_hook": "fluxlit.tracing",
        "set_trace_hook": "fluxlit.tracing",
        "streamlit_main_path": "fluxlit.testing",
        "trace_span": "fluxlit.tracing",
    },
)

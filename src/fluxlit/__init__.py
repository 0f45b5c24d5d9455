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
    from fluxlit.auth import (
        GenericOIDCClient,
        GenericOIDCClientConfig,
        InMemoryOIDCBFFTokenStore,
        JWTAuthConfig,
        JWTBearer,
        OIDCBFFConfig,
        OIDCBFFTokenStore,
        OIDCProvider,
        RequireRoles,
        RequireScopes,
        StandardClaims,
        bearer_headers_from_session,
        exchange_auth_code_from_query,
        issue_hs256_access_token,
        pkce_pair,
        prepare_streamlit_api_client,
        register_oidc_bff_routes,
    )
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
    "GenericOIDCClient",
    "GenericOIDCClientConfig",
    "Header",
    "InMemoryOIDCBFFTokenStore",
    "InMemorySessionStore",
    "JWTAuthConfig",
    "JWTBearer",
    "NavigationModel",
    "OIDCBFFConfig",
    "OIDCBFFTokenStore",
    "OIDCProvider",
    "Page",
    "PageMeta",
    "Query",
    "RequireRoles",
    "RequireScopes",
    "SessionModel",
    "SessionStore",
    "StandardClaims",
    "__version__",
    "apptest_assert_no_errors",
    "apptest_select_page",
    "assert_no_streamlit_exception",
    "bearer_headers_from_session",
    "ensure_url_session",
    "exchange_auth_code_from_query",
    "hydrate_url_session",
    "hydrate_url_session_typed",
    "issue_hs256_access_token",
    "match_nav_page",
    "new_session_id",
    "parse_query_params",
    "persist_url_session",
    "pkce_pair",
    "prepare_streamlit_api_client",
    "query_params",
    "register_oidc_bff_routes",
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
        "GenericOIDCClient": "fluxlit.auth",
        "GenericOIDCClientConfig": "fluxlit.auth",
        "Header": "fluxlit.pages",
        "InMemoryOIDCBFFTokenStore": "fluxlit.auth",
        "InMemorySessionStore": "fluxlit.stores",
        "JWTAuthConfig": "fluxlit.auth",
        "JWTBearer": "fluxlit.auth",
        "NavigationModel": "fluxlit.pages",
        "OIDCBFFConfig": "fluxlit.auth",
        "OIDCBFFTokenStore": "fluxlit.auth",
        "OIDCProvider": "fluxlit.auth",
        "Page": "fluxlit.pages",
        "PageMeta": "fluxlit.pages",
        "Query": "fluxlit.pages",
        "RequireRoles": "fluxlit.auth",
        "RequireScopes": "fluxlit.auth",
        "SessionModel": "fluxlit.pages",
        "SessionStore": "fluxlit.stores",
        "StandardClaims": "fluxlit.auth",
        "apptest_assert_no_errors": "fluxlit.testing",
        "apptest_select_page": "fluxlit.testing",
        "assert_no_streamlit_exception": "fluxlit.testing",
        "bearer_headers_from_session": "fluxlit.auth",
        "ensure_url_session": "fluxlit.url_session",
        "exchange_auth_code_from_query": "fluxlit.auth",
        "hydrate_url_session": "fluxlit.url_session",
        "hydrate_url_session_typed": "fluxlit.url_session",
        "issue_hs256_access_token": "fluxlit.auth",
        "match_nav_page": "fluxlit.deep_links",
        "new_session_id": "fluxlit.url_session",
        "parse_query_params": "fluxlit.pages",
        "persist_url_session": "fluxlit.url_session",
        "pkce_pair": "fluxlit.auth",
        "prepare_streamlit_api_client": "fluxlit.auth",
        "query_params": "fluxlit.deep_links",
        "register_oidc_bff_routes": "fluxlit.auth",
        "reset_trace_hook": "fluxlit.tracing",
        "set_trace_hook": "fluxlit.tracing",
        "streamlit_main_path": "fluxlit.testing",
        "trace_span": "fluxlit.tracing",
    },
)

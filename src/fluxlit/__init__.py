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
    from fluxlit.stores import SessionStore
    from fluxlit.urls import FluxLitPublicUrls

__all__ = [
    "ApiClient",
    "Cookie",
    "Depends",
    "FluxLit",
    "FluxLitPublicUrls",
    "FluxlitSettings",
    "GenericOIDCClient",
    "GenericOIDCClientConfig",
    "Header",
    "InMemoryOIDCBFFTokenStore",
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
    "bearer_headers_from_session",
    "exchange_auth_code_from_query",
    "issue_hs256_access_token",
    "match_nav_page",
    "parse_query_params",
    "pkce_pair",
    "prepare_streamlit_api_client",
    "query_params",
    "register_oidc_bff_routes",
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
        "GenericOIDCClient": "fluxlit.auth",
        "GenericOIDCClientConfig": "fluxlit.auth",
        "Header": "fluxlit.pages",
        "InMemoryOIDCBFFTokenStore": "fluxlit.auth",
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
        "bearer_headers_from_session": "fluxlit.auth",
        "exchange_auth_code_from_query": "fluxlit.auth",
        "issue_hs256_access_token": "fluxlit.auth",
        "match_nav_page": "fluxlit.deep_links",
        "parse_query_params": "fluxlit.pages",
        "pkce_pair": "fluxlit.auth",
        "prepare_streamlit_api_client": "fluxlit.auth",
        "query_params": "fluxlit.deep_links",
        "register_oidc_bff_routes": "fluxlit.auth",
    },
)

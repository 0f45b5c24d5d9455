"""Who calls: bearer tokens, a login with OpenID Connect, users that a proxy names.

The names below are imported when they are first used. Tokens and the login need ``fluxlit[auth]``,
and say so when it is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxlit._lazy import lazy_face

if TYPE_CHECKING:
    from fluxlit.auth.jwt import (
        JWTAuthConfig,
        JWTBearer,
        RequireRoles,
        RequireScopes,
        StandardClaims,
        issue_hs256_access_token,
    )
    from fluxlit.auth.oidc import (
        GenericOIDCClient,
        GenericOIDCClientConfig,
        InMemoryOIDCBFFTokenStore,
        OIDCBFFConfig,
        OIDCBFFTokenStore,
        OIDCProvider,
        pkce_pair,
        register_oidc_bff_routes,
    )
    from fluxlit.auth.streamlit import (
        bearer_headers_from_session,
        exchange_auth_code_from_query,
        prepare_streamlit_api_client,
    )
    from fluxlit.auth.trusted_proxy import (
        AuthDependency,
        TrustedProxyUser,
        TrustedProxyUserConfig,
        proxy_user_header,
    )

__all__ = [
    "AuthDependency",
    "GenericOIDCClient",
    "GenericOIDCClientConfig",
    "InMemoryOIDCBFFTokenStore",
    "JWTAuthConfig",
    "JWTBearer",
    "OIDCBFFConfig",
    "OIDCBFFTokenStore",
    "OIDCProvider",
    "RequireRoles",
    "RequireScopes",
    "StandardClaims",
    "TrustedProxyUser",
    "TrustedProxyUserConfig",
    "bearer_headers_from_session",
    "exchange_auth_code_from_query",
    "issue_hs256_access_token",
    "pkce_pair",
    "prepare_streamlit_api_client",
    "proxy_user_header",
    "register_oidc_bff_routes",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "AuthDependency": "fluxlit.auth.trusted_proxy",
        "GenericOIDCClient": "fluxlit.auth.oidc",
        "GenericOIDCClientConfig": "fluxlit.auth.oidc",
        "InMemoryOIDCBFFTokenStore": "fluxlit.auth.oidc",
        "JWTAuthConfig": "fluxlit.auth.jwt",
        "JWTBearer": "fluxlit.auth.jwt",
        "OIDCBFFConfig": "fluxlit.auth.oidc",
        "OIDCBFFTokenStore": "fluxlit.auth.oidc",
        "OIDCProvider": "fluxlit.auth.oidc",
        "RequireRoles": "fluxlit.auth.jwt",
        "RequireScopes": "fluxlit.auth.jwt",
        "StandardClaims": "fluxlit.auth.jwt",
        "TrustedProxyUser": "fluxlit.auth.trusted_proxy",
        "TrustedProxyUserConfig": "fluxlit.auth.trusted_proxy",
        "bearer_headers_from_session": "fluxlit.auth.streamlit",
        "exchange_auth_code_from_query": "fluxlit.auth.streamlit",
        "issue_hs256_access_token": "fluxlit.auth.jwt",
        "pkce_pair": "fluxlit.auth.oidc",
        "prepare_streamlit_api_client": "fluxlit.auth.streamlit",
        "proxy_user_header": "fluxlit.auth.trusted_proxy",
        "register_oidc_bff_routes": "fluxlit.auth.oidc",
    },
)

"""Login with OpenID Connect: the provider's side, the app's side, and what is kept between."""

from __future__ import annotations

from fluxlit.auth.login import pkce_pair, register_oidc_bff_routes
from fluxlit.auth.login_config import OIDCBFFConfig
from fluxlit.auth.login_store import InMemoryOIDCBFFTokenStore, OIDCBFFTokenStore
from fluxlit.auth.provider import (
    GenericOIDCClient,
    GenericOIDCClientConfig,
    IDTokenVerifier,
    OIDCProvider,
)

__all__ = [
    "GenericOIDCClient",
    "GenericOIDCClientConfig",
    "IDTokenVerifier",
    "InMemoryOIDCBFFTokenStore",
    "OIDCBFFConfig",
    "OIDCBFFTokenStore",
    "OIDCProvider",
    "pkce_pair",
    "register_oidc_bff_routes",
]

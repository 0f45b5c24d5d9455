"""How a login is set up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from fluxlit.auth.jwt import warn_of_short_secret
from fluxlit.auth.login_file import FileTokenStore
from fluxlit.auth.login_store import InMemoryOIDCBFFTokenStore, OIDCBFFTokenStore
from fluxlit.auth.provider import DEFAULT_SCOPE, OIDCProvider


class LoginOptions(TypedDict, total=False):
    """What of :class:`OIDCBFFConfig` can be given by keyword to ``app.attach_oidc_login``."""

    token_issuer: str
    token_audience: str
    access_token_ttl_seconds: int
    public_base_url: str
    login_path: str
    callback_path: str
    exchange_path: str
    scope: str
    streamlit_redirect_path: str
    state_ttl_seconds: float
    otc_ttl_seconds: float
    id_token_audience: str | None
    id_token_leeway_seconds: int
    allow_unverified_id_token_for_custom_oidc: bool
    bff_token_store: OIDCBFFTokenStore | None
    keep_claims: Sequence[str]


@dataclass(frozen=True, slots=True)
class OIDCBFFConfig:
    """A login: with whom, and what comes of it.

    Args:
        oidc: The identity provider.
        first_party_secret: Signs the app's own tokens, states and codes.
        token_issuer: Issuer of the app's tokens.
        token_audience: Audience of the app's tokens.
        access_token_ttl_seconds: Seconds for which such a token holds.
        public_base_url: Public address of the app; empty for that of the settings, or of the
            request where there is none.
        login_path: Path of the login under the API.
        callback_path: Path under the API to which the provider sends users back.
        exchange_path: Path under the API where pages exchange codes.
        scope: What the provider is asked for.
        streamlit_redirect_path: The page that is opened after the login.
        state_ttl_seconds: Seconds that a user has at the provider.
        otc_ttl_seconds: Seconds that the page has to exchange its code.
        id_token_audience: Audience of the provider's ID tokens, when it is not the client.
        id_token_leeway_seconds: By how much the provider's clock may differ.
        allow_unverified_id_token_for_custom_oidc: Believe the ID tokens of a provider of your own
            that does not check them.
        bff_token_store: Keeps states and codes; needed where several machines serve the app. The
            workers of one ``fluxlit run`` share a file unless it is given.
        keep_claims: What else the app's token repeats of the ID token: ``("email", "name")``.

    Raises:
        ValueError: The secret is empty, or a path is none.
    """

    oidc: OIDCProvider
    first_party_secret: str = field(repr=False)
    token_issuer: str = "fluxlit-bff"  # noqa: S105 - a name
    token_audience: str = "fluxlit-app"  # noqa: S105 - a name
    access_token_ttl_seconds: int = 3600
    public_base_url: str = ""
    login_path: str = "/auth/login"
    callback_path: str = "/auth/callback"
    exchange_path: str = "/auth/exchange"
    scope: str = DEFAULT_SCOPE
    streamlit_redirect_path: str = "/"
    state_ttl_seconds: float = 600.0
    otc_ttl_seconds: float = 120.0
    id_token_audience: str | None = None
    id_token_leeway_seconds: int = 0
    allow_unverified_id_token_for_custom_oidc: bool = False
    bff_token_store: OIDCBFFTokenStore | None = None
    keep_claims: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.first_party_secret.strip():
            msg = "OIDC BFF: first_party_secret is empty; take one from `openssl rand -hex 32`"
            raise ValueError(msg)
        warn_of_short_secret(self.first_party_secret, "the login's secret")
        for name in ("login_path", "callback_path", "exchange_path", "streamlit_redirect_path"):
            path: str = getattr(self, name)
            # "//host" and "/\host" lead a browser elsewhere.
            if not path.startswith("/") or path[1:2] in {"/", "\\"}:
                msg = f"OIDC BFF: {name} {path!r} is not a path of this app"
                raise ValueError(msg)

    def store(self, run_directory: Path | None) -> OIDCBFFTokenStore:
        """Return where states and codes are kept.

        Args:
            run_directory: Where the workers of one service share files; None if there is one.
        """
        if self.bff_token_store is not None:
            return self.bff_token_store
        state, code = self.state_ttl_seconds, self.otc_ttl_seconds
        if run_directory is None:
            return InMemoryOIDCBFFTokenStore(state, code)
        path = run_directory / "logins"
        return FileTokenStore(path, state_ttl_seconds=state, otc_ttl_seconds=code)

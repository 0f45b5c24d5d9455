"""What an app object can do about who calls."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from fluxlit.config import FluxlitSettings

if TYPE_CHECKING:
    from typing import Unpack

    from fluxlit.auth.jwt import JWTBearer
    from fluxlit.auth.login_config import LoginOptions, OIDCBFFConfig
    from fluxlit.auth.provider import OIDCProvider


class WithAuth:
    """Methods of an app that has settings and an API."""

    _login: OIDCBFFConfig | None = None

    @property
    @abstractmethod
    def settings(self) -> FluxlitSettings:
        """The app's settings."""

    @property
    @abstractmethod
    def api(self) -> FastAPI:
        """The app's API."""

    def make_jwt_bearer(self) -> JWTBearer:
        """Make a dependency that lets only bearers of a good token pass.

        Which tokens are good the settings ``jwt_*`` say. Where none of them is set, it is those of
        the login that was attached before.

        Raises:
            ValueError: The settings are not complete, or there are two keys.
            MissingExtra: ``fluxlit[auth]`` is not installed.

        Example:
            >>> bearer = app.make_jwt_bearer()
            >>> @app.api.get("/me")
            ... def me(claims: Annotated[StandardClaims, Depends(bearer)]) -> str | None:
            ...     return claims.sub
        """
        from fluxlit.auth.jwt import JWTAuthConfig, JWTBearer  # noqa: PLC0415 - not every app

        if self._login is None or _says_which_tokens(self.settings):
            return JWTBearer.from_fluxlit_settings(self.settings)
        return JWTBearer(
            JWTAuthConfig(
                self._login.token_issuer,
                self._login.token_audience,
                ["HS256"],
                hs256_secret=self._login.first_party_secret,
                leeway_seconds=self.settings.jwt_leeway_seconds,
            )
        )

    def attach_oidc_login(
        self,
        oidc: OIDCProvider,
        *,
        first_party_secret: str | None = None,
        **bff_overrides: Unpack[LoginOptions],
    ) -> APIRouter:
        """Add a login with OpenID Connect to the API.

        It begins at ``/auth/login`` under the API. Register ``/auth/callback`` under the API at the
        provider, e.g. ``https://desk.example/api/auth/callback``.

        Args:
            oidc: The identity provider, e.g. :class:`~fluxlit.auth.GenericOIDCClient`.
            first_party_secret: Signs the app's own tokens; ``oidc_bff_secret`` of the settings
                unless given.
            bff_overrides: More of :class:`~fluxlit.auth.OIDCBFFConfig`.

        Returns:
            The routes.

        Raises:
            ValueError: There is no secret, or the app has a login.
            MissingExtra: ``fluxlit[auth]`` is not installed.
        """
        from fluxlit.auth.login import register_oidc_bff_routes  # noqa: PLC0415 - not every app
        from fluxlit.auth.login_config import OIDCBFFConfig  # noqa: PLC0415 - not every app

        if self._login is not None:
            msg = "attach_oidc_login was already called; an app has one login"
            raise ValueError(msg)
        secret = first_party_secret or self.settings.oidc_bff_secret.get_secret_value()
        if not secret.strip():
            msg = "OIDC BFF: no secret; set FLUXLIT_OIDC_BFF_SECRET or pass first_party_secret"
            raise ValueError(msg)
        config = OIDCBFFConfig(oidc, secret, **bff_overrides)
        router = register_oidc_bff_routes(self.api, config)
        self._login = config
        return router


def _says_which_tokens(settings: FluxlitSettings) -> bool:
    said = (settings.jwt_issuer, settings.jwt_audience, settings.jwt_jwks_url)
    return bool(any(said) or settings.jwt_hs256_secret.get_secret_value())

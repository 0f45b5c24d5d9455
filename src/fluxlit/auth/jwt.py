"""Bearer tokens on routes: who calls, and what they may do.

The tokens are JSON Web Tokens (RFC 7519), checked as RFC 8725 advises: the algorithms are named by
the app, a key belongs to its kind of algorithm, and issuer, audience and expiry are required.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fluxlit.auth.claims import RequireRoles, RequireScopes, StandardClaims
from fluxlit.config import FluxlitSettings
from fluxlit.config.token_rules import SHORTEST_SECRET
from fluxlit.exceptions import KeysUnavailable

if TYPE_CHECKING:
    from fluxlit.auth.tokens import Verifier

__all__ = [
    "JWTAuthConfig",
    "JWTBearer",
    "RequireRoles",
    "RequireScopes",
    "StandardClaims",
    "issue_hs256_access_token",
]

_LOG: Final = logging.getLogger("fluxlit.auth")

RETRY_SECONDS: Final = "10"
"""After which a client may ask again when keys are missing; no sooner are they fetched again."""


@dataclass(frozen=True, slots=True)
class JWTAuthConfig:
    """Which tokens to accept.

    Args:
        issuer: What ``iss`` must say.
        audience: What ``aud`` must say or list.
        algorithms: Algorithms that may have signed a token.
        jwks_url: Address of the issuer's public keys.
        hs256_secret: Shared secret of HS256 tokens.
        leeway_seconds: By how much the clocks may differ.
    """

    issuer: str
    audience: str
    algorithms: Sequence[str] = field(default_factory=lambda: ["RS256"])
    jwks_url: str | None = None
    hs256_secret: str | None = field(default=None, repr=False)
    leeway_seconds: int = 0


class JWTBearer(SecurityBase):
    """A dependency that lets only bearers of a good token pass, and returns what it says.

    The answers are 401 (no token, a bad one) and 503 (the issuer's keys cannot be fetched).

    Args:
        config: Which tokens to accept.

    Raises:
        ValueError: There is no key, or it does not go with the algorithms.
        MissingExtra: ``fluxlit[auth]`` is not installed.

    Example:
        >>> bearer = JWTBearer(JWTAuthConfig("https://id.example", "desk", jwks_url=KEYS))
        >>> @app.api.get("/me")
        ... def me(claims: Annotated[StandardClaims, Depends(bearer)]) -> str | None:
        ...     return claims.sub
    """

    def __init__(self, config: JWTAuthConfig) -> None:
        self.model = HTTPBearerModel(bearerFormat="JWT")
        self.scheme_name = type(self).__name__
        self._config = config
        self._verifier = _make_verifier(config)

    @classmethod
    def from_fluxlit_settings(cls, settings: FluxlitSettings) -> JWTBearer:
        """Make one from the settings ``jwt_*``.

        Raises:
            ValueError: Issuer, audience or key are missing, or there are two keys.
        """
        secret = settings.jwt_hs256_secret.get_secret_value()
        address = settings.jwt_jwks_url.strip()
        if secret and address:
            msg = "set only one of FLUXLIT_JWT_HS256_SECRET and FLUXLIT_JWT_JWKS_URL"
            raise ValueError(msg)
        if not (settings.jwt_issuer and settings.jwt_audience):
            msg = "set FLUXLIT_JWT_ISSUER and FLUXLIT_JWT_AUDIENCE, which tokens are checked for"
            raise ValueError(msg)
        if not (secret or address):
            msg = "set FLUXLIT_JWT_HS256_SECRET or FLUXLIT_JWT_JWKS_URL, or no token can be checked"
            raise ValueError(msg)
        config = JWTAuthConfig(
            settings.jwt_issuer,
            settings.jwt_audience,
            ["HS256"] if secret else ["RS256"],
            jwks_url=address or None,
            hs256_secret=secret or None,
            leeway_seconds=settings.jwt_leeway_seconds,
        )
        return cls(config)

    async def __call__(self, request: Request) -> StandardClaims:
        """Return what the request's token says.

        Raises:
            HTTPException: 401 or 503.
        """
        return await self._claims_of(_bearer_of(request.headers.get("authorization", "")))

    async def _claims_of(self, value: str) -> StandardClaims:
        from fluxlit.auth.tokens import (  # noqa: PLC0415 - needs the extra
            ExpiredToken,
            InvalidToken,
            KeysNeeded,
        )

        try:
            try:
                token = self._verifier.decode(value, may_wait=False)
            except KeysNeeded:
                token = await run_in_threadpool(self._verifier.decode, value, may_wait=True)
            claims = self._verifier.claims(
                token,
                issuer=self._config.issuer,
                audience=self._config.audience,
                leeway_seconds=self._config.leeway_seconds,
            )
            return StandardClaims.model_validate(claims)
        except ExpiredToken:
            raise _unauthorized("Token expired", ' error="invalid_token"') from None
        except (InvalidToken, ValidationError):
            raise _unauthorized("Invalid token", ' error="invalid_token"') from None
        except KeysUnavailable as exc:
            _LOG.warning("%s", exc)
            raise HTTPException(
                503, "Tokens cannot be checked now", headers={"Retry-After": RETRY_SECONDS}
            ) from None


def issue_hs256_access_token(
    *,
    subject: str,
    issuer: str,
    audience: str,
    secret: str,
    ttl_seconds: int,
    extra_claims: Mapping[str, Any] | None = None,
) -> str:
    """Make a token for :class:`JWTBearer`, signed with a shared secret.

    Args:
        subject: Whom it is about.
        issuer: Who makes it.
        audience: Whom it is for.
        secret: At least 32 bytes, from ``openssl rand -hex 32`` (RFC 7518 section 3.2).
        ttl_seconds: Seconds for which it holds.
        extra_claims: What else it says; they come last and may replace the others.

    Raises:
        ValueError: The secret is empty, or a public key.
        MissingExtra: ``fluxlit[auth]`` is not installed.
    """
    from fluxlit.auth.tokens import sign  # noqa: PLC0415 - needs the extra

    now = int(time.time())
    own = {"sub": subject, "iss": issuer, "aud": audience, "iat": now, "exp": now + ttl_seconds}
    return sign({**own, **(extra_claims or {})}, secret)


def warn_of_short_secret(secret: str, name: str) -> None:
    """Say that a secret can be found by trying; a strict start refuses those of the settings."""
    if len(secret.encode()) < SHORTEST_SECRET:
        _LOG.warning(
            "%s is shorter than %d bytes and can be found by trying", name, SHORTEST_SECRET
        )


def _make_verifier(config: JWTAuthConfig) -> Verifier:
    from fluxlit.auth.tokens import SHARED, Verifier  # noqa: PLC0415 - needs the extra

    if not (config.hs256_secret or config.jwks_url):
        msg = "Either hs256_secret or jwks_url is needed to check tokens"
        raise ValueError(msg)
    if config.hs256_secret and SHARED not in config.algorithms:
        msg = "hs256_secret is given, and HS256 is not among the algorithms"
        raise ValueError(msg)
    if not config.hs256_secret and SHARED in config.algorithms:
        msg = "HS256 is among the algorithms, and hs256_secret is not given"
        raise ValueError(msg)
    if config.hs256_secret:
        warn_of_short_secret(config.hs256_secret, "hs256_secret")
    return Verifier.at(config.algorithms, config.hs256_secret or "", config.jwks_url or "")


def _bearer_of(header: str) -> str:
    """Read the token from an ``Authorization`` header (RFC 6750 section 2.1).

    Raises:
        HTTPException: 401.
    """
    scheme, blank, value = header.partition(" ")
    if scheme.lower() != "bearer" or not blank:
        raise _unauthorized("Missing bearer token")
    if not value.strip():
        raise _unauthorized("Empty bearer token")
    return value.strip()


def _unauthorized(detail: str, more: str = "") -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": f"Bearer{more}"})

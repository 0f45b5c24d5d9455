"""What a token says, and dependencies that look for more than a good token."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request


class StandardClaims(BaseModel):
    """What a token says (RFC 7519 section 4.1); other claims are kept as attributes.

    Attributes:
        sub: Who it is about.
        iss: Who made it.
        aud: Whom it is for.
        exp: Seconds since the epoch until which it holds.
        iat: When it was made.
        nbf: Before when it does not hold.
        jti: Its name.
        scope: What it allows: words in one string (RFC 9068), or a list.
    """

    model_config = ConfigDict(extra="allow")

    sub: str | None = None
    iss: str | None = None
    aud: str | list[str] | None = None
    exp: int | float | None = None
    iat: int | float | None = None
    nbf: int | float | None = None
    jti: str | None = None
    scope: str | list[str] | None = None


class ClaimsDependency(Protocol):
    """A dependency that returns claims, such as :class:`JWTBearer`."""

    def __call__(self, request: Request) -> Awaitable[StandardClaims]:
        """Return the claims of a request, or raise ``HTTPException``."""


class _Require(SecurityBase):
    """A bearer's dependency that also looks for words in one claim."""

    def __init__(self, bearer: ClaimsDependency, wanted: tuple[str, ...]) -> None:
        self.model = getattr(bearer, "model", None) or HTTPBearerModel(bearerFormat="JWT")
        self.scheme_name = getattr(bearer, "scheme_name", type(bearer).__name__)
        self._bearer = bearer
        self._wanted = frozenset(wanted)


class RequireScopes(_Require):
    """A dependency that lets pass who has *all* of these scopes; others are answered 403.

    Args:
        bearer: Checks the token first.
        scopes: The scopes.
        scope_claim: Where a token lists them: words in one string, or a list.

    Example:
        >>> may_read = RequireScopes(bearer, "reports.read")
        >>> @app.api.get("/reports", dependencies=[Depends(may_read)])
        ... def reports() -> list[str]: ...
    """

    def __init__(self, bearer: ClaimsDependency, *scopes: str, scope_claim: str = "scope") -> None:
        super().__init__(bearer, scopes)
        self._claim = scope_claim

    async def __call__(self, request: Request) -> StandardClaims:
        """Return what the request's token says.

        Raises:
            HTTPException: 401, 403 or 503.
        """
        claims = await self._bearer(request)
        value = getattr(claims, self._claim, None)
        granted = value.split() if isinstance(value, str) else _words(value)
        if not self._wanted <= set(granted):
            raise HTTPException(403, "Insufficient scope")
        return claims


class RequireRoles(_Require):
    """A dependency that lets pass who has *one* of these roles; others are answered 403.

    Args:
        bearer: Checks the token first.
        roles: The roles.
        roles_claim: Where a token lists them: a list, or one role.
    """

    def __init__(self, bearer: ClaimsDependency, *roles: str, roles_claim: str = "roles") -> None:
        super().__init__(bearer, roles)
        self._claim = roles_claim

    async def __call__(self, request: Request) -> StandardClaims:
        """Return what the request's token says.

        Raises:
            HTTPException: 401, 403 or 503.
        """
        claims = await self._bearer(request)
        value = getattr(claims, self._claim, None)
        held = [value] if isinstance(value, str) else _words(value)
        if self._wanted.isdisjoint(held):
            raise HTTPException(403, "Insufficient role")
        return claims


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []

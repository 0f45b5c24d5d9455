"""Users that a login proxy in front of the app names in a header."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from fluxlit._addresses import Addresses
from fluxlit._types import PEER

__all__ = ["AuthDependency", "TrustedProxyUser", "TrustedProxyUserConfig", "proxy_user_header"]

AuthDependency = Callable[[Request], str | None]
"""A dependency that says who calls; None when nobody is named."""

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "unix"})


def proxy_user_header(header_name: str = "X-Remote-User") -> AuthDependency:
    """Make a dependency that returns a header as it came, whoever sent it.

    Anybody who reaches the port can send it, too: use it only where nobody but the proxy can, or
    use :class:`TrustedProxyUser`.

    Example:
        >>> @app.api.get("/me")
        ... def me(user: Annotated[str | None, Depends(proxy_user_header())]) -> str | None:
        ...     return user
    """

    def user(request: Request) -> str | None:
        return request.headers.get(header_name)

    return user


@dataclass(frozen=True, slots=True)
class TrustedProxyUserConfig:
    """Whose word to take for who the user is.

    Args:
        header_name: The header in which the proxy names the user.
        require_https: Refuse users who did not come by https, as ``X-Forwarded-Proto`` tells.
        trusted_client_hosts: The proxies: addresses, CIDR networks, ``"unix"`` for whoever
            connects over a Unix socket, as this app's own pages do.
        require_non_empty_user: Refuse a blank name.
    """

    header_name: str = "X-Remote-User"
    require_https: bool = False
    trusted_client_hosts: Collection[str] = LOOPBACK
    require_non_empty_user: bool = True


class TrustedProxyUser:
    """A dependency that returns the user whom a trusted proxy names.

    The answers are 403 (not the proxy, not https) and 401 (nobody is named).

    Args:
        config: Whose word to take.

    Example:
        >>> user = TrustedProxyUser(TrustedProxyUserConfig(trusted_client_hosts=["10.0.0.0/8"]))
        >>> @app.api.get("/me")
        ... def me(name: Annotated[str, Depends(user)]) -> str:
        ...     return name
    """

    def __init__(self, config: TrustedProxyUserConfig | None = None) -> None:
        self._config = config if config is not None else TrustedProxyUserConfig()
        self._trusted = Addresses(self._config.trusted_client_hosts)

    def __call__(self, request: Request) -> str:
        """Return the user's name.

        Raises:
            HTTPException: 401 or 403.
        """
        if not self._trusted.has(_peer_of(request)):
            raise HTTPException(403, "Untrusted client for forward-auth")
        if self._config.require_https and _scheme_of(request) != "https":
            raise HTTPException(403, "HTTPS required for forward-auth")
        given = request.headers.getlist(self._config.header_name)
        # A proxy that appends leaves the visitor's own header in front: two are nobody's word.
        user = given[0].strip() if len(given) == 1 else ""
        if not given or len(given) > 1 or (self._config.require_non_empty_user and not user):
            raise HTTPException(401, "Missing trusted user header")
        return user


def _peer_of(request: Request) -> str:
    """Return who is connected, where a gateway has put the visitor in its place."""
    if PEER in request.scope:
        return str(request.scope[PEER] or "")
    return request.client.host if request.client else ""


def _scheme_of(request: Request) -> str:
    said = request.headers.get("x-forwarded-proto", "")
    return said.partition(",")[0].strip().lower() or request.url.scheme

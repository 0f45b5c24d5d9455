"""The identity provider's side of a login: OpenID Connect, with Authlib's client."""

from __future__ import annotations

import logging
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable
from urllib.parse import quote_plus, urlsplit

import httpx2

from fluxlit._credentials import without_password
from fluxlit.auth.fetching import authorities, fetch_json
from fluxlit.exceptions import IdentityProviderError, MissingExtra

if TYPE_CHECKING:
    from fluxlit.auth.tokens import Verifier

_LOG: Final = logging.getLogger("fluxlit.auth")

DEFAULT_SCOPE: Final = "openid profile email"
ID_TOKEN_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class OIDCProvider(Protocol):
    """An identity provider, as the login's routes use it. Its methods may block."""

    @property
    def issuer(self) -> str:
        """Its name, a URL."""

    def authorization_url(
        self, *, redirect_uri: str, state: str, code_challenge: str, scope: str = DEFAULT_SCOPE
    ) -> str:
        """Return where the user signs in.

        Args:
            redirect_uri: Where the user is to be sent then.
            state: Comes back with the user.
            code_challenge: The public half of a proof key, S256 (RFC 7636).
            scope: What is asked for.
        """

    def exchange_code(
        self, *, code: str, code_verifier: str, redirect_uri: str
    ) -> Mapping[str, Any]:
        """Exchange the code that the user brings for the provider's tokens."""


@runtime_checkable
class IDTokenVerifier(Protocol):
    """A provider that checks its own ID tokens; it also takes ``nonce`` in its address.

    Implement this in a provider of your own, so that nobody has to trust unverified tokens.
    """

    def verify_id_token(
        self, id_token: str, *, audience: str | None, nonce: str, leeway_seconds: int
    ) -> Mapping[str, Any]:
        """Return what an ID token says.

        Args:
            id_token: The token.
            audience: Whom it must be for; None for the client.
            nonce: What it must repeat.
            leeway_seconds: By how much the clocks may differ.

        Raises:
            InvalidToken: It is not to be believed.
        """


@dataclass(frozen=True, slots=True)
class GenericOIDCClientConfig:
    """The app's registration at an identity provider.

    Args:
        issuer: The provider's URL, under which ``/.well-known/openid-configuration`` is.
        client_id: The app's name there.
        client_secret: The app's secret there; empty for a public client.
        http_timeout: Seconds to wait for each of its answers.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    http_timeout: float = 10.0


class GenericOIDCClient:
    """Any provider that can be discovered: Keycloak, Auth0, Okta, Entra ID, Google and others.

    Args:
        config: The registration.

    Raises:
        MissingExtra: ``fluxlit[auth]`` is not installed.
        ValueError: The issuer is no http or https address.

    Example:
        >>> oidc = GenericOIDCClient(GenericOIDCClientConfig("https://id.example", "desk", SECRET))
        >>> app.attach_oidc_login(oidc)
    """

    def __init__(self, config: GenericOIDCClientConfig) -> None:
        need_authlib()
        _check_address(config.issuer, "issuer")
        self._config = config
        self._metadata: Mapping[str, Any] = {}
        self._verifier: Verifier | None = None
        self._discovering = threading.Lock()

    @property
    def issuer(self) -> str:
        """Its name without a final slash."""
        return str(self._metadata.get("issuer") or self._config.issuer).rstrip("/")

    def load_discovery_sync(self) -> None:
        """Ask the provider for its addresses. The login does it when it is first used.

        Raises:
            IdentityProviderError: It cannot be reached, or its answer cannot be used.
        """
        from fluxlit.auth.tokens import Verifier  # noqa: PLC0415 - needs the extra

        address = self._config.issuer.rstrip("/") + "/.well-known/openid-configuration"
        metadata = fetch_json(address, timeout_seconds=self._config.http_timeout)
        self._metadata = _checked(metadata, self._config.issuer)
        self._verifier = Verifier.at(ID_TOKEN_ALGORITHMS, "", self._metadata["jwks_uri"])

    def ensure_discovery(self) -> None:
        """Ask for the addresses unless they are known.

        Raises:
            IdentityProviderError: As :meth:`load_discovery_sync`.
        """
        with self._discovering:
            if not self._metadata:
                self.load_discovery_sync()

    def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        scope: str = DEFAULT_SCOPE,
        nonce: str | None = None,
    ) -> str:
        """Return where the user signs in; see :class:`OIDCProvider`.

        Args:
            redirect_uri: Where the user is to be sent then.
            state: Comes back with the user.
            code_challenge: The public half of a proof key.
            scope: What is asked for.
            nonce: Comes back in the ID token.

        Raises:
            RuntimeError: The addresses are not known yet.
        """
        from authlib.oauth2.client import OAuth2Client  # noqa: PLC0415 - needs the extra

        more = {} if nonce is None else {"nonce": nonce}
        address, _ = OAuth2Client(None, client_id=self._config.client_id).create_authorization_url(
            self._known("authorization_endpoint"),
            state=state,
            redirect_uri=redirect_uri,
            scope=scope,
            code_challenge=code_challenge,
            code_challenge_method="S256",
            **more,
        )
        return str(address)

    def exchange_code(self, *, code: str, code_verifier: str, redirect_uri: str) -> dict[str, Any]:
        """Exchange a code for tokens; see :class:`OIDCProvider`.

        Raises:
            IdentityProviderError: The provider cannot be reached, refuses, or answers nonsense.
            RuntimeError: Its addresses are not known yet.
        """
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415 - needs the extra
        from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415 - the same

        endpoint = self._known("token_endpoint")
        try:
            with OAuth2Client(
                self._config.client_id,
                self._config.client_secret or None,
                token_endpoint_auth_method=self._auth_method(),
                timeout=self._config.http_timeout,
                verify=authorities(),
            ) as client:
                client.register_client_auth_method(("client_secret_basic", _basic))
                tokens = client.fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                    redirect_uri=redirect_uri,
                )
        except OAuthError as exc:
            msg = f"the identity provider refused the code: {exc.error}"
            raise IdentityProviderError(msg) from exc
        except (httpx2.HTTPError, ValueError) as exc:
            msg = f"{endpoint} gave no tokens: {exc}"
            raise IdentityProviderError(msg) from exc
        return dict(tokens)

    def verify_id_token(
        self, id_token: str, *, audience: str | None, nonce: str, leeway_seconds: int = 0
    ) -> dict[str, Any]:
        """Return what an ID token says, checked as OpenID Connect Core 3.1.3.7 asks.

        Raises:
            InvalidToken: It is not to be believed.
            KeysUnavailable: The provider's keys cannot be fetched.
            RuntimeError: Its addresses are not known yet.
        """
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - needs the extra
        from joserfc.errors import JoseError  # noqa: PLC0415 - needs the extra

        from fluxlit.auth.tokens import InvalidToken  # noqa: PLC0415 - needs the extra

        self._known("jwks_uri")
        assert self._verifier is not None  # noqa: S101 - made with the addresses
        token = self._verifier.decode(id_token, may_wait=True)
        wanted = audience or self._config.client_id
        options = {
            "iss": {"essential": True, "values": [self.issuer, f"{self.issuer}/"]},
            "aud": {"essential": True, "value": wanted},
        }
        # Who else may use a token for another audience is that audience's business.
        own = {"client_id": wanted} if wanted == self._config.client_id else {}
        claims = CodeIDToken(token.claims, token.header, options, {"nonce": nonce, **own})
        try:
            claims.validate(leeway=leeway_seconds)
        except (JoseError, TypeError, ValueError) as exc:
            raise InvalidToken from exc
        return dict(claims)

    def _auth_method(self) -> str:
        if not self._config.client_secret:
            return "none"
        offered = self._metadata.get("token_endpoint_auth_methods_supported")
        by_post = isinstance(offered, list) and "client_secret_basic" not in offered
        return "client_secret_post" if by_post else "client_secret_basic"

    def _known(self, name: str) -> str:
        if not self._metadata:
            msg = "the identity provider's addresses are not known: call load_discovery_sync()"
            raise RuntimeError(msg)
        return str(self._metadata[name])


def _basic(
    client: Any, _method: str, uri: str, headers: dict[str, str], body: Any
) -> tuple[str, dict[str, str], Any]:
    """State id and secret, each spelt as a form's value is (RFC 6749 section 2.3.1)."""
    words = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(words.encode('ascii')).decode('ascii')}"
    return uri, headers, body


def need_authlib() -> None:
    """Look for what a login needs.

    Raises:
        MissingExtra: ``fluxlit[auth]`` is not installed.
    """
    try:
        import authlib.integrations.httpx_client  # noqa: F401, PLC0415 - needs the extra
    except ImportError as exc:
        what = "the login"
        raise MissingExtra(what, "auth") from exc


def _checked(metadata: object, issuer: str) -> Mapping[str, Any]:
    """Check what a provider says of itself (OpenID Connect Discovery 1.0, section 4.3)."""
    if not isinstance(metadata, dict):
        msg = f"{issuer} does not describe itself with a JSON object"
        raise IdentityProviderError(msg)
    said = metadata.get("issuer", issuer)
    if not isinstance(said, str) or said.rstrip("/") != issuer.rstrip("/"):
        msg = f"{issuer} says that its name is {said!r}"
        raise IdentityProviderError(msg, remedy="configure the issuer by exactly that name")
    missing = [name for name in _NEEDED if not isinstance(metadata.get(name), str)]
    if missing:
        msg = f"{issuer} does not say its {', '.join(missing)}"
        raise IdentityProviderError(msg)
    for name in _NEEDED:
        try:
            _check_address(metadata[name], name)
        except ValueError as exc:
            raise IdentityProviderError(str(exc)) from exc
    return metadata


def _check_address(url: str, what: str) -> None:
    """Warn of an address over which a secret or a key could be read or changed on its way.

    Raises:
        ValueError: It is no http or https address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        msg = f"{what} {without_password(url)!r} is no http or https address"
        raise ValueError(msg)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        _LOG.warning(
            "%s at %s is http: whoever sits between can sign users in", what, parts.hostname
        )

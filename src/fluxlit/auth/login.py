"""The app's side of a login with OpenID Connect: three routes of the API.

::

    /auth/login      → the identity provider, with state, nonce and proof key
    /auth/callback   ← the user with a code; the app fetches the ID token and checks it
                     → the page, with a code of the app's own that is good once
    /auth/exchange   the page's server gives that code and gets a token of the app's own

No token of the provider and none of the app ever comes to the browser. State and code are good only
in the browser that began (:mod:`fluxlit.auth.sealing`).
"""

from __future__ import annotations

import logging
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fluxlit._types import RUN_DIRECTORY
from fluxlit.auth.jwt import issue_hs256_access_token
from fluxlit.auth.login_answers import (
    HEADERS,
    LoginFailed,
    answer_failure,
    provider_failed,
    word,
)
from fluxlit.auth.login_config import OIDCBFFConfig
from fluxlit.auth.login_places import Places, with_query
from fluxlit.auth.login_store import OIDCBFFTokenStore
from fluxlit.auth.provider import IDTokenVerifier, need_authlib
from fluxlit.auth.sealing import COOKIE, SAFE_COOKIE, Seal, browser_of, new_browser

_LOG: Final = logging.getLogger("fluxlit.auth")

_STATE: Final = "state"
_CODE: Final = "code"
_OWN_CLAIMS: Final = frozenset({"iss", "aud", "sub", "exp", "iat", "nbf", "jti"})


class ExchangeRequest(BaseModel):
    """What a page gives for its token.

    Attributes:
        code: The code from the address.
        browser: The cookie of the browser that brought it; who gives none is not asked.
    """

    code: str = Field(min_length=8, max_length=256)
    browser: str | None = Field(default=None, max_length=256)


class ExchangeAnswer(BaseModel):
    """The token, as OAuth 2.0 words it (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the word of the RFC


class Login:
    """What the three routes do.

    Args:
        config: The login.
        router_prefix: What stands before its paths under the API.
    """

    def __init__(self, config: OIDCBFFConfig, router_prefix: str) -> None:
        self._config = config
        self.places = Places(config, router_prefix)
        self._seal = Seal(config.first_party_secret)
        self._memory = config.store(None)

    def begin(self, request: Request) -> Response:
        """Send the user to the identity provider."""
        redirect_uri = self.places.callback(request)
        is_safe = redirect_uri.startswith("https:")
        browser = browser_of(request.cookies, is_safe=is_safe) or new_browser(is_safe=is_safe)
        state = self._seal.sealed(_STATE, browser)
        verifier, challenge = pkce_pair()
        address = self._authorization_url(state, challenge, redirect_uri)
        with self._store(request) as (store, now):
            store.save_pkce_verifier(state, verifier, now=now)
        answer = RedirectResponse(address, 302, headers=HEADERS)
        answer.set_cookie(
            SAFE_COOKIE if is_safe else COOKIE,
            browser,
            max_age=int(self._config.state_ttl_seconds + self._config.otc_ttl_seconds),
            path="/",
            secure=is_safe,
            httponly=True,
            samesite="lax",
        )
        return answer

    def finish(self, request: Request) -> Response:
        """Take the user back from the identity provider, and send them to the page."""
        said = request.query_params
        redirect_uri, state = self.places.callback(request), said.get("state", "")
        browser = browser_of(request.cookies, is_safe=redirect_uri.startswith("https:"))
        if "error" not in said and not (said.get("code") and state):
            raise LoginFailed(400, "Missing code or state")
        verifier = self._verifier_of(request, state, browser)
        if "error" in said:
            raise LoginFailed(400, f"The identity provider says: {word(said['error'])}")
        self._check_issuer(said.get("iss"))
        tokens = self._fetch_tokens(said["code"], verifier, redirect_uri)
        token = self._issue(self._claims(tokens, self._seal.mark("nonce", state)))
        code = self._seal.sealed(_CODE, browser)
        with self._store(request) as (store, now):
            store.save_exchange_token(code, token, now=now)
        page = with_query(self.places.page(request), "auth_code", code)
        return RedirectResponse(page, 302, headers=HEADERS)

    def exchange(self, request: Request, asked: ExchangeRequest) -> ExchangeAnswer:
        """Give the token for a code."""
        token = None
        if asked.browser is None or self._seal.is_good(_CODE, asked.code, asked.browser):
            with self._store(request) as (store, now):
                token = store.pop_exchange_token(asked.code, now=now)
        if token is None:
            raise LoginFailed(401, "Invalid or expired auth code")
        return ExchangeAnswer(access_token=token)

    def _verifier_of(self, request: Request, state: str, browser: str) -> str:
        """Take the proof key of a login that this browser has begun."""
        verifier = None
        if self._seal.is_good(_STATE, state, browser):
            with self._store(request) as (store, now):
                verifier = store.pop_pkce_verifier(state, now=now)
        if verifier is None:
            raise LoginFailed(400, "Invalid or expired state")
        return verifier

    @contextmanager
    def _store(self, request: Request) -> Iterator[tuple[OIDCBFFTokenStore, float]]:
        """Give where states and codes are kept, and the time; what it raises ends the login."""
        shared = getattr(request.app.state, RUN_DIRECTORY, None)
        store = self._config.store(shared) if shared else self._memory
        try:
            yield store, time.monotonic()
        except Exception as exc:
            _LOG.exception("states and codes of logins cannot be kept")
            raise LoginFailed(503, "Nobody can sign in now") from exc

    def _authorization_url(self, state: str, challenge: str, redirect_uri: str) -> str:
        provider: Any = self._config.oidc  # the nonce is for those that check it
        can_check = isinstance(provider, IDTokenVerifier)
        nonce = {"nonce": self._seal.mark("nonce", state)} if can_check else {}
        try:
            _ensure_discovery(provider)
            return str(
                provider.authorization_url(
                    redirect_uri=redirect_uri,
                    state=state,
                    code_challenge=challenge,
                    scope=self._config.scope,
                    **nonce,
                )
            )
        except Exception as exc:
            raise provider_failed(exc, "The identity provider cannot be reached") from exc

    def _check_issuer(self, said: str | None) -> None:
        """Refuse the answer of another provider than the user was sent to (RFC 9207)."""
        if said is not None and said.rstrip("/") != self._config.oidc.issuer.rstrip("/"):
            raise LoginFailed(400, "The answer is another identity provider's")

    def _fetch_tokens(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        try:
            _ensure_discovery(self._config.oidc)  # another gateway worker may have begun
            tokens: object = self._config.oidc.exchange_code(
                code=code, code_verifier=verifier, redirect_uri=redirect_uri
            )
        except Exception as exc:
            raise provider_failed(exc, "The identity provider gave no tokens") from exc
        if not isinstance(tokens, Mapping) or not isinstance(tokens.get("id_token"), str):
            raise LoginFailed(502, "IdP response missing id_token")
        return tokens

    def _claims(self, tokens: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        from fluxlit.auth.tokens import InvalidToken, unverified  # noqa: PLC0415 - the extra

        provider, config = self._config.oidc, self._config
        try:
            if isinstance(provider, IDTokenVerifier):
                claims = provider.verify_id_token(
                    tokens["id_token"],
                    audience=config.id_token_audience,
                    nonce=nonce,
                    leeway_seconds=config.id_token_leeway_seconds,
                )
            elif config.allow_unverified_id_token_for_custom_oidc:
                claims = unverified(tokens["id_token"])
            else:
                raise LoginFailed(500, _UNVERIFIABLE)
        except InvalidToken as exc:
            _LOG.warning("the ID token is refused: %s", exc.__cause__ or "its signature")
            raise LoginFailed(502, "Invalid id_token") from exc
        except LoginFailed:
            raise
        except Exception as exc:
            raise provider_failed(exc, "The id_token cannot be checked now") from exc
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise LoginFailed(502, "id_token missing sub")
        return claims

    def _issue(self, claims: Mapping[str, Any]) -> str:
        kept = [name for name in self._config.keep_claims if name in claims]
        return issue_hs256_access_token(
            subject=claims["sub"],
            issuer=self._config.token_issuer,
            audience=self._config.token_audience,
            secret=self._config.first_party_secret,
            ttl_seconds=self._config.access_token_ttl_seconds,
            extra_claims={name: claims[name] for name in kept if name not in _OWN_CLAIMS},
        )


def _ensure_discovery(provider: object) -> None:
    """Have a provider learn its addresses, if it is one that discovers them."""
    ensure: Callable[[], object] | None = getattr(provider, "ensure_discovery", None)
    if ensure is not None:
        ensure()


_UNVERIFIABLE: Final = (
    "This login's provider does not check id_tokens: give it a method verify_id_token, or set"
    " allow_unverified_id_token_for_custom_oidc if the provider is reached over a connection that"
    " nobody can change"
)


def pkce_pair() -> tuple[str, str]:
    """Make a proof key: who ends a login shows that they began it (RFC 7636).

    Returns:
        The verifier, 64 characters that stay here, and the challenge (S256) that is sent ahead.
    """
    verifier = secrets.token_urlsafe(48)
    digest = sha256(verifier.encode("ascii")).digest()
    return verifier, urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def register_oidc_bff_routes(
    app: FastAPI, config: OIDCBFFConfig, *, router_prefix: str = ""
) -> APIRouter:
    """Add a login to an API.

    Args:
        app: The API: ``app.api`` of a FluxLit object, or any FastAPI app.
        config: The login.
        router_prefix: What to put before the paths of its routes.

    Returns:
        The routes.

    Raises:
        MissingExtra: ``fluxlit[auth]`` is not installed.
    """
    need_authlib()
    login = Login(config, router_prefix)
    login.places.warn_of_unknown(app)
    router = APIRouter(prefix=router_prefix, tags=["auth"])

    # Plain functions: providers and stores may block, so each runs in a thread.
    @router.get(config.login_path, status_code=302, response_class=RedirectResponse)
    def oidc_login(request: Request) -> Response:
        """Sign in with the identity provider."""
        try:
            return login.begin(request)
        except LoginFailed as exc:
            return answer_failure(exc, request, login.places.login(request))

    @router.get(config.callback_path, status_code=302, response_class=RedirectResponse)
    def oidc_callback(request: Request) -> Response:
        """Return from the identity provider."""
        try:
            return login.finish(request)
        except LoginFailed as exc:
            return answer_failure(exc, request, login.places.login(request))

    @router.post(config.exchange_path)
    def oidc_exchange(request: Request, asked: ExchangeRequest) -> ExchangeAnswer:
        """Exchange a login's code for a token."""
        try:
            return login.exchange(request, asked)
        except LoginFailed as exc:
            raise HTTPException(exc.status, exc.detail, headers=HEADERS) from exc

    app.include_router(router)
    return router

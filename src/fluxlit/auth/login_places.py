"""The public addresses of a login: where the provider sends users back, and which page opens then.

The API stands under a prefix and the pages do not, so one base does not fit both.
"""

from __future__ import annotations

import warnings
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI
from starlette.requests import Request

from fluxlit._types import PUBLIC_URLS
from fluxlit.auth.login_config import OIDCBFFConfig


class PublicUrls(Protocol):
    """Knows the addresses of an app; a FluxLit object puts one into its API's state."""

    def based_on(self, public_base_url: str) -> PublicUrls:
        """Return the same for another public address; empty for this."""

    def api_base(self, request: Request) -> str:
        """Return the API's root, without a final slash."""

    def page_url(self, request: Request, path: str) -> str:
        """Return a page's address."""

    def canonical_url(self, path: str) -> str:
        """Return a page's address; empty unless a public address is configured."""


class Places:
    """The addresses of one login.

    Args:
        config: Its paths.
        router_prefix: What stands before them under the API.
    """

    def __init__(self, config: OIDCBFFConfig, router_prefix: str) -> None:
        self._base = config.public_base_url.strip().rstrip("/")
        self._login = router_prefix + config.login_path
        self._callback = router_prefix + config.callback_path
        self._page = config.streamlit_redirect_path

    def warn_of_unknown(self, app: FastAPI) -> None:
        """Say that the public address is not known, when it is not."""
        urls = _urls_of(app)
        if not self._base and (urls is None or not urls.canonical_url("/")):
            warnings.warn(
                "public_base_url is empty: the login sends users back to the host that their"
                " request names. Set FLUXLIT_PUBLIC_BASE_URL",
                UserWarning,
                stacklevel=4,
            )

    def login(self, request: Request) -> str:
        """Return where the login begins."""
        return self._api(request) + self._login

    def callback(self, request: Request) -> str:
        """Return where the provider sends users back; register exactly this there."""
        return self._api(request) + self._callback

    def page(self, request: Request) -> str:
        """Return the page that is opened after the login."""
        urls = _urls_of(request.app)
        if urls is None:
            return (self._base or _origin(request)) + self._page
        path, mark, query = self._page.partition("?")
        return urls.based_on(self._base).page_url(request, path) + mark + query

    def _api(self, request: Request) -> str:
        urls = _urls_of(request.app)
        if urls is None:
            return self._base or _origin(request)
        return urls.based_on(self._base).api_base(request)


def with_query(address: str, name: str, value: str) -> str:
    """Add a parameter to an address that may have some.

    >>> with_query("https://desk.example/?page=users", "auth_code", "a b")
    'https://desk.example/?page=users&auth_code=a+b'
    """
    parts = urlsplit(address)
    more = urlencode({name: value})
    return parts._replace(query=f"{parts.query}&{more}" if parts.query else more).geturl()


def _urls_of(app: FastAPI) -> PublicUrls | None:
    return getattr(app.state, PUBLIC_URLS, None)


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")

"""Public addresses: what to put into a mail, a redirect or a link."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from fluxlit._credentials import without_password
from fluxlit._paths import is_parameter, normalize, quoted
from fluxlit.config import FluxlitSettings


class Addressable(Protocol):
    """What the addresses are derived from; the app is one."""

    @property
    def settings(self) -> FluxlitSettings:
        """The app's settings."""

    @property
    def api(self) -> FastAPI:
        """The app's API."""


class FluxLitPublicUrls:
    """The public addresses of one app, as ``app.urls``.

    Each method takes the request (or WebSocket) that is being answered, whose origin is used
    unless ``public_base_url`` is configured. A configured URL with a path is used whole; one
    without gets the mount appended.

    Args:
        fluxlit: The app.
        public_base_url: In place of the configured one.

    Example:
        >>> @app.api.post("/invitations")
        ... def invite(request: Request) -> dict[str, str]:
        ...     return {"link": app.urls.page_url(request, "/welcome", query={"from": "mail"})}
    """

    def __init__(self, fluxlit: Addressable, *, public_base_url: str = "") -> None:
        self._app = fluxlit
        self._given = public_base_url

    def based_on(self, public_base_url: str) -> FluxLitPublicUrls:
        """Return the addresses under another public address; empty for these."""
        return FluxLitPublicUrls(self._app, public_base_url=public_base_url or self._given)

    def app_base(self, request: HTTPConnection) -> str:
        """Return the app's root, without a final slash."""
        if configured := self._configured_base():
            return configured
        mount = self._app.settings.public_mount_path()
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        return f"{scheme}://{request.url.netloc}{mount}"

    def api_base(self, request: HTTPConnection) -> str:
        """Return the API's root, without a final slash."""
        return f"{self.app_base(request)}{self._app.settings.api_prefix()}"

    def api_path(self, path: str) -> str:
        """Return a path of the API from the host's root, for links on pages.

        Args:
            path: The path under the API: ``"/auth/login"`` is ``"/api/auth/login"``.
        """
        mount = urlsplit(self._configured_base()).path or self._app.settings.public_mount_path()
        return f"{mount}{self._app.settings.api_prefix()}{path}"

    def docs_url(self, request: HTTPConnection) -> str | None:
        """Return the interactive documentation's address; None when the API has none."""
        return self._api_page(request, self._app.api.docs_url)

    def redoc_url(self, request: HTTPConnection) -> str | None:
        """Return the ReDoc page's address; None when the API has none."""
        return self._api_page(request, self._app.api.redoc_url)

    def openapi_url(self, request: HTTPConnection) -> str | None:
        """Return the OpenAPI document's address; None when the API has none."""
        return self._api_page(request, self._app.api.openapi_url)

    def health_url(self, request: HTTPConnection) -> str:
        """Return the liveness address."""
        return f"{self.api_base(request)}/healthz"

    def ready_url(self, request: HTTPConnection) -> str:
        """Return the readiness address."""
        return f"{self.api_base(request)}/readyz"

    def for_page(
        self, request: HTTPConnection, path: str, *, query: dict[str, str] | None = None
    ) -> str:
        """Return a page's address; the same as :meth:`page_url`."""
        return self.page_url(request, path, query=query)

    def page_url(
        self, request: HTTPConnection, path: str, *, query: dict[str, str] | None = None
    ) -> str:
        """Return a page's address.

        Args:
            request: The request that is being answered.
            path: The path under which the page was registered. Path parameters are taken from
                *query*: ``page_url(request, "/users/{id}", query={"id": "3"})`` is ``/users/3``.
            query: Query parameters to append.

        Raises:
            KeyError: A path parameter has no value.
        """
        query = dict(query or {})
        segments = [
            quote(str(query.pop(segment[1:-1])), safe="")
            if is_parameter(segment)
            else quoted(segment)
            for segment in path.split("/")
        ]
        address = self._page(self.app_base(request), "/".join(segments))
        return f"{address}?{urlencode(query)}" if query else address

    def canonical_url(self, path: str) -> str:
        """Return a page's one public address; empty unless ``public_base_url`` is configured.

        Args:
            path: The path under which the page was registered.
        """
        base = self._configured_base()
        return self._page(base, quoted(path)) if base else ""

    def _page(self, base: str, path: str) -> str:
        ui = f"{base}{self._app.settings.ui_base()}"
        return f"{ui}{normalize(path)}" if normalize(path) else f"{ui}/"

    def _configured_base(self) -> str:
        configured = urlsplit(
            without_password((self._given or self._app.settings.public_base_url).strip())
        )
        if not (configured.scheme and configured.netloc):
            return ""
        path = normalize(configured.path) or self._app.settings.public_mount_path()
        return f"{configured.scheme}://{configured.netloc}{path}"

    def _api_page(self, request: HTTPConnection, path: str | None) -> str | None:
        return None if path is None else f"{self.api_base(request)}{path}"

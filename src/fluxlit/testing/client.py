"""One client for an app's API, as its gateway serves it, and for its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.testclient import TestClient

from fluxlit._paths import normalize
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.app import FluxLit
from fluxlit.gateway.build import build_gateway
from fluxlit.testing.pages import apptest_assert_no_errors, streamlit_main_path
from fluxlit.testing.served import ServedApp
from fluxlit.testing.surroundings import Surroundings

if TYPE_CHECKING:
    from httpx2 import Response

NOBODY: Final = "http://127.0.0.1:9"
"""Where no Streamlit listens: what is not the API's is answered 502."""

RUN_SECONDS: Final = 30.0
"""After which a run of a page is given up."""


@dataclass(frozen=True)
class FluxLitTestClient:
    """Asks an app what its users would ask it, in this process.

    Args:
        app: The app.
        api_prefix: Where its API is; None takes the app's own.
        root_mount: Public path of the whole app.

    Example:
        >>> client = FluxLitTestClient(app)
        >>> client.api_get("/healthz").json()
        {'status': 'ok'}
    """

    app: FluxLit[Any]
    api_prefix: str | None = None
    root_mount: str = ""
    _served: ServedApp = field(default_factory=ServedApp, init=False, repr=False, compare=False)

    @property
    def api(self) -> TestClient:
        """A new client over a new gateway, with no UI behind it.

        ``with client.api as api:`` runs the API's lifespan; without it there is none.
        """
        return TestClient(_gateway(self.app, self._prefix, self.root_mount))

    def api_get(self, path: str, *, root_path: str | None = None, **kwargs: Any) -> Response:
        """``GET`` a path of the API.

        Args:
            path: Under the API's prefix.
            root_path: A mount for this call, instead of ``root_mount``.
            kwargs: As for Starlette's ``TestClient.get``.
        """
        return self._mounted(root_path).api.get(self._at(path, root_path), **kwargs)

    def api_post(self, path: str, *, root_path: str | None = None, **kwargs: Any) -> Response:
        """``POST`` to a path of the API; the arguments are those of :meth:`api_get`."""
        return self._mounted(root_path).api.post(self._at(path, root_path), **kwargs)

    def with_root_path(self, root_path: str) -> FluxLitTestClient:
        """Return a copy for another public path."""
        return replace(self, root_mount=root_path)

    def openapi(self) -> dict[str, Any]:
        """Return the API's OpenAPI document.

        Raises:
            TypeError: It is not an object.
        """
        document = self.api_get("/openapi.json").json()
        if not isinstance(document, dict):
            msg = f"the OpenAPI document is {type(document).__name__}, not an object"
            raise TypeError(msg)
        return document

    def assert_docs_available(self, *, root_path: str | None = None) -> None:
        """Hold the API to documenting itself.

        Raises:
            AssertionError: Its document or its page is not there.
        """
        status = self.api_get("/openapi.json", root_path=root_path).status_code
        if status != 200:
            msg = f"OpenAPI JSON not available: status {status}"
            raise AssertionError(msg)
        status = self.api_get("/docs", root_path=root_path, follow_redirects=False).status_code
        if status == 404:
            msg = "Swagger UI not available: status 404"
            raise AssertionError(msg)
        if status not in {200, 307, 308}:
            msg = f"Unexpected GET /docs status: {status}"
            raise AssertionError(msg)

    def streamlit(
        self,
        *,
        target: str,
        internal_api_base: str | None = None,
        extra_sys_path: str | Sequence[str] | None = None,
        query_params: Mapping[str, Any] | None = None,
        page_overrides: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the app's pages in Streamlit's ``AppTest``, once; further runs have what this has.

        The pages' own calls reach this client's app, whose lifespan is not run. Sessions in the
        address are off (``FLUXLIT_TESTS``). Environment and import path of this process are
        changed while a run lasts, so that one runs at a time.

        Args:
            target: ``module:attribute`` of the app.
            internal_api_base: Base URL of another API for the pages' calls.
            extra_sys_path: Folders to import the target from.
            query_params: The address's query; ``{"page": "Users"}`` opens a page.
            page_overrides: Values of page parameters by name, instead of what the request says.

        Returns:
            The ``AppTest`` after its run.
        """
        from fluxlit._streamlit.apptest import PageTest  # noqa: PLC0415 - tests of the API need no Streamlit

        around = self._around(target, internal_api_base, extra_sys_path, page_overrides)
        script = self.app.streamlit_script or streamlit_main_path()
        at = PageTest(script, around, timeout_seconds=RUN_SECONDS)
        for name, value in (query_params or {}).items():
            at.query_params[name] = value
        return at.run()

    def select_page(  # noqa: PLR0913 - the public face; all but two by keyword
        self,
        at: Any,
        page: str,
        *,
        target: str,
        internal_api_base: str | None = None,
        extra_sys_path: str | Sequence[str] | None = None,
        page_key: str = "page",
        page_overrides: Mapping[str, Any] | None = None,
    ) -> Any:
        """Go to another page, as the link ``?page=`` does, and run it.

        Args:
            at: What :meth:`streamlit` returned.
            page: The page's title, path or slug.
            target: As for :meth:`streamlit`, as are those that follow.
            internal_api_base: See there.
            extra_sys_path: See there.
            page_key: The query parameter that names a page.
            page_overrides: See there.

        Returns:
            The ``AppTest`` after its run.
        """
        around = self._around(target, internal_api_base, extra_sys_path, page_overrides)
        at.query_params[page_key] = page
        if hasattr(at, "around"):  # one of ours, which brings its own
            at.around = around
            return at.run()
        with around():
            return at.run()

    def assert_no_streamlit_exception(self, at: Any) -> None:
        """Hold a tested page to having shown no exception and no error."""
        apptest_assert_no_errors(at)

    @property
    def _prefix(self) -> str:
        return normalize(
            self.app.settings.api_prefix() if self.api_prefix is None else self.api_prefix
        )

    def _mounted(self, root_path: str | None) -> FluxLitTestClient:
        return self if root_path is None else self.with_root_path(root_path)

    def _at(self, path: str, root_path: str | None) -> str:
        mount = normalize(self.root_mount if root_path is None else root_path)
        return f"{mount}{self._prefix}{path if path.startswith('/') else f'/{path}'}"

    def _around(
        self,
        target: str,
        internal_api_base: str | None,
        extra_sys_path: str | Sequence[str] | None,
        page_overrides: Mapping[str, Any] | None,
    ) -> Surroundings:
        api = _Current(self.app, self._prefix, self.root_mount)
        folders = [extra_sys_path] if isinstance(extra_sys_path, str) else extra_sys_path or ()
        return Surroundings(
            target=target,
            api_base=internal_api_base or f"http://testserver{self._prefix}",
            api_prefix=self._prefix,
            session_param=self.app.settings.url_session_query_param,
            api_socket=None if internal_api_base else partial(self._served.socket, api),
            sys_path=[str(folder) for folder in folders],
            overrides=dict(page_overrides or {}),
        )


def apptest_select_page(  # noqa: PLR0913 - the public face; all but two by keyword
    at: Any,
    client: FluxLitTestClient,
    *,
    target: str,
    page: str,
    internal_api_base: str | None = None,
    extra_sys_path: str | Sequence[str] | None = None,
    page_key: str = "page",
    page_overrides: Mapping[str, Any] | None = None,
) -> Any:
    """Go to another page of a tested app; see :meth:`FluxLitTestClient.select_page`."""
    return client.select_page(
        at,
        page,
        target=target,
        internal_api_base=internal_api_base,
        extra_sys_path=extra_sys_path,
        page_key=page_key,
        page_overrides=page_overrides,
    )


def _gateway(app: FluxLit[Any], prefix: str, mount: str) -> ASGIApp:
    return build_gateway(
        app.api, NOBODY, api_prefix=prefix, root_mount=mount, proxy_settings=app.settings
    )


@dataclass(frozen=True, slots=True)
class _Current:
    """The gateway over whatever API the app has when a request comes."""

    app: FluxLit[Any]
    prefix: str
    mount: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _gateway(self.app, self.prefix, self.mount)(scope, receive, send)

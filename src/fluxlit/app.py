"""The app object: an API, pages, settings and addresses in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Unpack

from fastapi import FastAPI
from typing_extensions import TypeVar

from fluxlit._paths import path_parameters
from fluxlit._types import PUBLIC_URLS, RUN_DIRECTORY, JsonValue, Receive, Scope, Send
from fluxlit.api import api_of, arrange_routes, docs_paths
from fluxlit.assembly import build_gateway, resources
from fluxlit.auth.attach import WithAuth
from fluxlit.client import ApiClient
from fluxlit.client.calls import Operations
from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.config.deployment import observe
from fluxlit.config.loading import (
    SettingsAlias,
    existing_script,
    replace_settings,
    with_arguments,
)
from fluxlit.config.provenance import Kind
from fluxlit.config.rules import refuse_doubtful
from fluxlit.exceptions import PageError
from fluxlit.fleet import Fleet
from fluxlit.gateway.gateway import Gateway
from fluxlit.health import Readiness, add_health_routes
from fluxlit.pages.aside import show_aside
from fluxlit.pages.book import PageBook, PageRules
from fluxlit.pages.flags import FluxlitFeatureFlags
from fluxlit.pages.heads import page_heads
from fluxlit.pages.links import PageLink, link_to
from fluxlit.pages.manifest import PageManifest, build_page_manifest
from fluxlit.pages.navigation import NavigationModel
from fluxlit.pages.records import PageFn, PageOptions, PageRecord
from fluxlit.pages.registry import discover, offer
from fluxlit.pages.runner import Site
from fluxlit.sidecar import Standalone, spec_beside
from fluxlit.stores import SessionStore
from fluxlit.unified import UnifiedApp, tell_failed_start
from fluxlit.urls import FluxLitPublicUrls
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.ui_plan import UIPlan

PageFnT = TypeVar("PageFnT", bound=PageFn)
SettingsT = TypeVar("SettingsT", bound=FluxlitSettings, default=FluxlitSettings)


class FluxLit(WithAuth, Generic[SettingsT]):
    """A FastAPI API and Streamlit pages behind one port.

    The object is also an ASGI app: ``uvicorn app:app`` serves it, UI included.

    Args:
        title: Name of the app, for the browser's tab and the API's documentation.
        settings: Settings given in code; by default they come from environment and files.
        import_target: ``module:attribute`` where this object can be imported, for servers that
            cannot tell; found by itself otherwise.
        fastapi_kwargs: Arguments for :class:`fastapi.FastAPI`, such as ``lifespan``.
        streamlit_run_args: Arguments as for ``streamlit run``: ``["--server.maxUploadSize=400"]``.
        streamlit_page_config: Arguments for ``st.set_page_config``.
        session_store: Where state that outlives a session is kept; pages that ask for a
            ``SessionStore`` get it.
        api: An existing FastAPI app to serve instead of a new one; it keeps its lifespan,
            middleware and mounts.
        streamlit_script: An existing Streamlit script to serve instead of registered pages, with
            its ``pages/`` folder, ``.streamlit`` configuration, secrets and static files.

    Raises:
        ConfigurationError: A setting or argument is wrong.

    Example:
        >>> app = FluxLit(title="Admin Portal")
        >>> @app.api.get("/users")
        ... def users() -> list[dict[str, str]]:
        ...     return [{"name": "Ada"}]
        >>> @app.page("/")
        ... def home(st: Any, client: ApiClient) -> None:
        ...     st.write(client.get("/users").json())
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(SettingsAlias)

    def __init__(  # noqa: PLR0913 - the public face; all by keyword
        self,
        *,
        title: str | None = None,
        settings: SettingsT | None = None,
        import_target: str | None = None,
        fastapi_kwargs: Mapping[str, Any] | None = None,
        streamlit_run_args: Sequence[str] | None = None,
        streamlit_page_config: Mapping[str, Any] | None = None,
        session_store: SessionStore | None = None,
        api: FastAPI | None = None,
        streamlit_script: str | Path | None = None,
    ) -> None:
        given: Any = settings if settings is not None else load_settings(FluxlitSettings)
        self._settings: SettingsT = with_arguments(
            given, title, streamlit_run_args, streamlit_page_config
        )
        self._import_target = (import_target or "").strip() or None
        self._session_store = session_store
        self._pages = PageBook(self._page_rules)
        self._script = existing_script(streamlit_script)
        self._readiness = Readiness()
        self._urls = FluxLitPublicUrls(self)
        self.api = api_of(self._settings, api, fastapi_kwargs or {})

    @property
    def settings(self) -> SettingsT:
        """The app's settings."""
        return self._settings

    @property
    def api(self) -> FastAPI:
        """The API, an ordinary FastAPI app; it is served under the API prefix."""
        return self._api

    @api.setter
    def api(self, api: FastAPI) -> None:
        self._api = api
        setattr(api.state, PUBLIC_URLS, self._urls)
        self._operations = Operations(lambda: api.routes)
        self._asgi: UnifiedApp | None = None
        self._pages.forget()
        add_health_routes(api, self._readiness)

    @property
    def urls(self) -> FluxLitPublicUrls:
        """The app's public addresses."""
        return self._urls

    @property
    def import_target(self) -> str | None:
        """Where this object can be imported, if that was said."""
        return self._import_target

    @property
    def streamlit_script(self) -> Path | None:
        """The existing Streamlit script that is served instead of pages."""
        return self._script

    @property
    def pages(self) -> list[tuple[str, str, PageFn]]:
        """Path, title and function of each page, in the order of registration."""
        return [(page.path, page.title, page.fn) for page in self._pages]

    @property
    def page_records(self) -> list[PageRecord]:
        """The pages as they were registered."""
        return list(self._pages)

    @property
    def session_store(self) -> SessionStore | None:
        """Where state that outlives a session is kept, if that was said."""
        return self._session_store

    @property
    def dependency_overrides(self) -> dict[Callable[..., Any], Callable[..., Any]]:
        """Dependencies and what is called in their place, by routes and by pages; for tests."""
        return self._api.dependency_overrides

    def page(self, path: str, **options: Unpack[PageOptions]) -> Callable[[PageFnT], PageFnT]:
        """Register a function as a page.

        Args:
            path: ``"/"`` for the UI's root, else one segment: ``"/users"``; with parameters
                ``"/users/{id}"``, which is opened with ``/users/3``.
            options: See :class:`~fluxlit.pages.PageOptions`.

        Returns:
            A decorator that returns the function unchanged.

        Raises:
            PageError: The path is taken or cannot be a page's.
            PageSignatureError: A parameter of the function cannot be given.

        Example:
            >>> @app.page("/users", title="Users", icon="👥")
            ... def users(st: Any, client: ApiClient, limit: int = 50) -> None:
            ...     st.dataframe(client.get("/users", params={"limit": limit}).json())
        """
        if self._script is not None:
            msg = f"page {path!r}: this app serves the script {self._script.name} instead of pages"
            raise PageError(msg, remedy="drop streamlit_script=, or move the page into its pages/")

        def register(fn: PageFnT) -> PageFnT:
            frame = inspect.currentframe()
            caller = frame.f_back if frame is not None else None
            self._pages.register(path, fn, options, {} if caller is None else caller.f_locals)
            return fn

        return register

    def link(self, page: PageFn, /, **values: Any) -> PageLink:
        """Make a link to a page: ``app.link(user, user_id=3).show(st)``.

        Raises:
            PageError: The function is no page, or the values are not what it reads.
        """
        base = self._settings.public_mount_path() + self._settings.ui_base()
        return link_to(self.site(), page, values, base=base)

    def build_page_manifest(self, *, version: int = 1) -> PageManifest:
        """Describe the pages as plain values; see :func:`fluxlit.pages.build_page_manifest`."""
        return build_page_manifest(self, version=version)

    def navigation(self, model: NavigationModel) -> FluxLit[SettingsT]:
        """Arrange the pages: their order, headings, and which are hidden. Returns the app."""
        self._pages.arrange(model)
        return self

    def discover_pages(self, directory: str | Path, *, package: str) -> FluxLit[SettingsT]:
        """Import every module of a folder; each may define ``register(app)``.

        Args:
            directory: Name of the folder under *package*.
            package: The importable package that holds the folder.

        Returns:
            The app. All pages are then ordered by path and title.

        Raises:
            ImportError: The folder is not a package, or one of its modules fails.
            TypeError: *package* is not a package.
        """
        discover(directory, package=package, register=lambda module: offer(module, self))
        self._pages.sort()
        return self

    def get_client(self) -> ApiClient:
        """Make a client for this app's API, for use in a page or beside the service."""
        return ApiClient(propagate_request_id=True, operations=self._operations)

    def provided(self) -> dict[type, object]:
        """Return what a page function can get, by type, besides ``st`` and the client."""
        return {
            FluxLit: self,
            FluxlitSettings: self._settings,
            FluxLitPublicUrls: self._urls,
            FluxlitFeatureFlags: FluxlitFeatureFlags.of(self._settings),
            SessionStore: self._session_store,
        }

    def site(self) -> Site:
        """Return the pages as the UI's runs need them."""
        return self._pages.site(
            title=self._settings.title,
            page_config=self._settings.streamlit_page_config,
            make_client=self.get_client,
            replaced=self._api.dependency_overrides,
        )

    def _page_rules(self) -> PageRules:
        return PageRules(
            provided=self.provided(),
            taken=self._settings.api_prefix(),
            strict=self._settings.strict_page_signatures,
            may_yield=FluxlitFeatureFlags.of(self._settings).experimental_yield_pages,
        )

    def override_settings(self, values: Mapping[str, JsonValue]) -> None:
        """Replace settings by those of the command line, which beat every other source."""
        self._settings = replace_settings(self._settings, values, Kind.FLAG)
        self._asgi = None
        self._pages.forget()

    def asgi(self, fleet: Fleet, *, internal: str = "", ui: UIPlan | None = None) -> UnifiedApp:
        """Build the service as one ASGI app over UI workers that somebody else keeps alive.

        Args:
            fleet: The UI workers.
            internal: Path of the private socket that the server listens on as well; what comes in
                there reaches the API only.
            ui: What a UI in this process is told, if it is to be here.
        """
        setattr(self._api.state, RUN_DIRECTORY, internal and Path(internal).parent)
        return UnifiedApp(self._api, self._gateway(fleet, internal), resources(fleet, ui))

    def ui_plan(self, spec: WorkerSpec, *, is_guest: bool = False) -> UIPlan:
        """Say what serves the UI; see :class:`~fluxlit.workers.ui_plan.UIPlan`."""
        icons = any(page.icon for page in self._pages)
        on_error = show_aside if self._script is None else None
        return UIPlan(spec, self._settings, self._script, icons, is_guest, on_error=on_error)

    def _gateway(self, fleet: Fleet, internal_socket: str = "") -> Gateway:
        untitled = self._script if "title" not in self._settings.model_fields_set else None
        gateway = build_gateway(
            self._api,
            self._settings,
            fleet,
            heads=page_heads(self.site(), self._urls.canonical_url, script=untitled),
            docs_paths=self._docs_paths(),
            page_paths=tuple(page.path for page in self._pages if path_parameters(page.path)),
            internal_socket=internal_socket,
        )
        self._readiness.watch(gateway, fleet, told_to_all=self._settings.health_detail)
        arrange_routes(self._api, self._readiness)
        return gateway

    def _docs_paths(self) -> frozenset[str]:
        """Return where the API's documentation is looked for at the UI's root."""
        if self._script is not None:
            return frozenset()  # a script that was served alone before keeps all of its paths
        return docs_paths(self._api) - {f"/{page.slug}" for page in self._pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the app under any ASGI server; the UI worker is started by its lifespan."""
        if self._asgi is None:
            try:
                self._asgi = self._standalone()
            except Exception as exc:  # noqa: BLE001 - whatever it is, the server is told
                await tell_failed_start(exc, scope, receive, send)
                return
        await self._asgi(scope, receive, send)

    def _standalone(self) -> UnifiedApp:
        refuse_doubtful(observe(self._settings, store=self._session_store))
        spec = spec_beside(self, self._import_target, development=self._settings.debug)
        fleet = Fleet.of(self._settings, spec.cookie_secret)
        gateway = self._gateway(fleet)
        plan = self.ui_plan(spec, is_guest=True)
        return UnifiedApp(self._api, gateway, [Standalone(plan, fleet, gateway.internal)])

"""The app object: an API, pages, settings and addresses in one place."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic

from fastapi import FastAPI
from typing_extensions import TypeVar

from fluxlit import _env
from fluxlit._types import JsonValue, Receive, Scope, Send
from fluxlit.api import docs_paths, make_api
from fluxlit.client import ApiClient
from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.config.deployment import observe
from fluxlit.config.loading import SettingsAlias, replace_settings, with_arguments
from fluxlit.config.project import DEFAULT_TARGET
from fluxlit.config.provenance import Kind
from fluxlit.config.rules import refuse_doubtful
from fluxlit.exceptions import ConfigurationError, PageError
from fluxlit.fleet import Fleet
from fluxlit.frontend import make_frontend
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.observe import metrics_of
from fluxlit.gateway.options import GatewayOptions
from fluxlit.health import Readiness, add_health_routes
from fluxlit.pages.heads import page_heads
from fluxlit.pages.records import PageFn, PageRecord, make_record
from fluxlit.pages.registry import PageRegistry, discover
from fluxlit.pages.runner import Site
from fluxlit.sidecar import Sidecar, locate
from fluxlit.unified import UnifiedApp, told
from fluxlit.urls import FluxLitPublicUrls
from fluxlit.workers.spec import WorkerSpec

SettingsT = TypeVar("SettingsT", bound=FluxlitSettings, default=FluxlitSettings)


class FluxLit(Generic[SettingsT]):
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
        api: FastAPI | None = None,
        streamlit_script: str | Path | None = None,
    ) -> None:
        given: Any = settings if settings is not None else load_settings(FluxlitSettings)
        self._settings: SettingsT = with_arguments(
            given, title, streamlit_run_args, streamlit_page_config
        )
        self._import_target = (import_target or "").strip() or None
        self._pages = PageRegistry()
        self._script = _existing(streamlit_script)
        self._readiness = Readiness()
        self._urls = FluxLitPublicUrls(self)
        self._asgi: UnifiedApp | None = None
        self._site: Site | None = None
        if api is not None and fastapi_kwargs:
            msg = "fastapi_kwargs are for a FastAPI app that FluxLit makes, and api= was given"
            raise ConfigurationError(msg, remedy="pass them to FastAPI(...) where api is made")
        self._api = api if api is not None else make_api(self._settings, fastapi_kwargs or {})
        add_health_routes(self._api, self._readiness)

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
        self._asgi = None
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

    def page(
        self,
        path: str,
        *,
        title: str | None = None,
        icon: str | None = None,
        tags: Sequence[str] = (),
    ) -> Callable[[PageFn], PageFn]:
        """Register a function as a page.

        Args:
            path: ``"/"`` for the UI's root, else one segment: ``"/users"``.
            title: Shown in navigation and tab; by default made from the function's name.
            icon: An emoji or ``":material/name:"``.
            tags: Words to group pages by.

        Returns:
            A decorator that returns the function unchanged.

        Raises:
            PageError: The path is taken or cannot be a page's, or a parameter of the function
                cannot be given.

        Example:
            >>> @app.page("/users", title="Users", icon="👥")
            ... def users(st: Any, client: ApiClient) -> None:
            ...     st.dataframe(client.get("/users").json())
        """
        if self._script is not None:
            msg = f"page {path!r}: this app serves the script {self._script.name} instead of pages"
            raise PageError(msg, remedy="drop streamlit_script=, or move the page into its pages/")

        def register(fn: PageFn) -> PageFn:
            record = make_record(path, fn, title=title, icon=icon, tags=tuple(tags))
            self._pages.add(record, taken=self._settings.api_prefix())
            self._site = None
            return fn

        return register

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

        def register(module: ModuleType) -> None:
            hook = getattr(module, "register", None)
            if hook is not None:
                hook(self)

        discover(directory, package=package, register=register)
        self._pages.sort()
        self._site = None
        return self

    def get_client(self) -> ApiClient:
        """Make a client for this app's API, for use in a page or beside the service."""
        return ApiClient(propagate_request_id=True)

    def site(self) -> Site:
        """Return the pages as the runs of the UI need them; made once for a set of pages."""
        if self._site is None:
            self._site = self._make_site()
        return self._site

    def _make_site(self) -> Site:
        return Site(
            title=self._settings.title,
            pages=tuple(self._pages),
            default=self._pages.default,
            page_config=self._settings.streamlit_page_config,
            provided={
                FluxLit: self,
                type(self._settings): self._settings,
                FluxLitPublicUrls: self._urls,
            },
            made={ApiClient: self.get_client},
        )

    def override_settings(self, values: Mapping[str, JsonValue]) -> None:
        """Replace settings by those of the command line, which beat every other source."""
        self._settings = replace_settings(self._settings, values, Kind.FLAG)
        self._asgi = None
        self._site = None

    def asgi(self, fleet: Fleet, *, internal_socket: str = "") -> UnifiedApp:
        """Build the service as one ASGI app over UI workers that somebody else keeps alive.

        Args:
            fleet: The UI workers.
            internal_socket: Path of the private socket that the server listens on as well; what
                comes in there reaches the API only.
        """
        return UnifiedApp(self._api, self._gateway(fleet, internal_socket))

    def _gateway(self, fleet: Fleet, internal_socket: str = "") -> Gateway:
        options = GatewayOptions.from_settings(
            self._settings,
            docs_paths=self._docs_paths(),
            internal_socket=internal_socket,
            secret=fleet.secret,
        )
        untitled = self._script if "title" not in self._settings.model_fields_set else None
        heads = page_heads(self.site(), self._urls.canonical_url, script=untitled)
        frontend = make_frontend(self._settings, heads)
        metrics = metrics_of(self._settings, fleet)
        gateway = Gateway(self._api, options, fleet, frontend=frontend, metrics=metrics)
        self._readiness.prober = gateway.probe
        add_health_routes(self._api, self._readiness)  # behind what was added since
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
            except Exception as exc:
                if scope["type"] != "lifespan":
                    raise
                # Raised from a lifespan it would mean "there is none", and the server would go on.
                await receive()
                await send({"type": "lifespan.startup.failed", "message": told(exc)})
                return
        await self._asgi(scope, receive, send)

    def _standalone(self) -> UnifiedApp:
        refuse_doubtful(observe(self._settings, development=self._settings.debug))
        spec = WorkerSpec(
            target=self._find_target(),
            run_directory="",
            development=self._settings.debug,
            search_path=[entry or str(Path.cwd()) for entry in sys.path],
            cookie_secret=secrets.token_hex(32),
        )
        fleet = Fleet(secret=spec.cookie_secret, hands_over=self._settings.ui_handoff)
        gateway = self._gateway(fleet)
        workers = self._settings.effective_ui_workers()
        return UnifiedApp(self._api, gateway, [Sidecar(spec, workers, fleet, gateway.internal)])

    def _find_target(self) -> str:
        """Find out where this object can be imported: what was said, else where it is."""
        said = self._import_target or os.environ.get(_env.APP, "").strip()
        return said or locate(self) or DEFAULT_TARGET


def _existing(script: str | Path | None) -> Path | None:
    if script is None:
        return None
    path = Path(script).resolve()
    if not path.is_file():
        msg = f"streamlit_script {str(script)!r} does not exist (looked for {path})"
        raise ConfigurationError(msg, remedy="give a path relative to the working directory")
    return path

"""A gateway by hand: one API, and a Streamlit server that somebody else runs.

:class:`fluxlit.FluxLit` builds its own, over UI workers that it keeps alive. This one is for tests
of a proxy in front, and for those who start Streamlit themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fastapi import FastAPI

from fluxlit._paths import normalize
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.api import docs_paths
from fluxlit.config import FluxlitSettings
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.options import MAX_IDLE, MAX_MESSAGE, GatewayOptions
from fluxlit.gateway.upstream import Member, Upstream

_ALL_DOCS = frozenset({"/docs", "/redoc", "/openapi.json"})
_DEFAULT_PREFIX = "/api"


@dataclass(frozen=True, slots=True)
class GatewayProxyOptions:
    """Limits and timeouts between a gateway and its Streamlit server; seconds and bytes.

    Attributes:
        connect_timeout: To reach the server.
        read_timeout: To its next bytes.
        max_proxy_body_bytes: Largest request body passed on; 0 sets no limit.
        max_concurrent_upstream_http: Most requests that wait for an answer; 0 sets no limit.
        httpx_max_connections: Most HTTP connections to it; 0 sets no limit.
        httpx_max_keepalive_connections: Most of them kept when idle; 0: 64, or as many as there
            may be.
        ws_open_timeout_s: For it to accept a WebSocket.
        ws_ping_interval_s: Between pings; None sends none.
        ws_ping_timeout_s: For the answer to one.
        ws_close_timeout_s: For the answer to a WebSocket's close.
        ws_max_message_bytes: Largest WebSocket message; None: 200 MB, as Streamlit.
        forward_client_headers_http: Client headers that pages may read whoever sends them.
    """

    connect_timeout: float = 30.0
    read_timeout: float = 120.0
    max_proxy_body_bytes: int = 0
    max_concurrent_upstream_http: int = 0
    httpx_max_connections: int = 0
    httpx_max_keepalive_connections: int = 0
    ws_open_timeout_s: float = 30.0
    ws_ping_interval_s: float | None = None
    ws_ping_timeout_s: float | None = None
    ws_close_timeout_s: float | None = None
    ws_max_message_bytes: int | None = None
    forward_client_headers_http: frozenset[str] = frozenset()

    def gateway_options(self) -> GatewayOptions:
        """Return the options of a gateway at the root."""
        idle = self.httpx_max_keepalive_connections or self.httpx_max_connections or MAX_IDLE
        return GatewayOptions(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_body_bytes=self.max_proxy_body_bytes,
            max_waiting=self.max_concurrent_upstream_http,
            max_connections=self.httpx_max_connections,
            max_idle_connections=idle,
            ws_open_timeout=self.ws_open_timeout_s,
            ws_ping_interval=self.ws_ping_interval_s,
            ws_ping_timeout=self.ws_ping_timeout_s,
            ws_close_timeout=self.ws_close_timeout_s,
            ws_max_message_bytes=self.ws_max_message_bytes or MAX_MESSAGE,
            passed_headers=frozenset(
                name.lower().encode("latin-1") for name in self.forward_client_headers_http
            ),
        )


def build_gateway(  # noqa: PLR0913 - the public face; all but two by keyword
    api_app: ASGIApp,
    upstream_base: str,
    *,
    upstream_resolver: Callable[[], str] | None = None,
    access_log: bool = False,
    api_prefix: str = _DEFAULT_PREFIX,
    root_mount: str = "",
    proxy_settings: FluxlitSettings | GatewayProxyOptions | None = None,
) -> ASGIApp:
    """Put an API and a running Streamlit server behind one ASGI app.

    Args:
        api_app: The API; it gets the lifespan.
        upstream_base: Origin of the Streamlit server, such as ``"http://127.0.0.1:8501"``.
        upstream_resolver: Asked for the origin on each request instead; blank for none yet.
        access_log: Write one line a request to the logger ``fluxlit.access``.
        api_prefix: The API under the mount.
        root_mount: Public path of both; the Streamlit server serves under it
            (``server.baseUrlPath``).
        proxy_settings: Limits, timeouts and trust; nothing is counted here.

    Example:
        >>> app = build_gateway(FastAPI(), "http://127.0.0.1:8501")
    """
    if isinstance(proxy_settings, FluxlitSettings):
        options = GatewayOptions.from_settings(
            proxy_settings, docs_paths=frozenset(), internal_socket=""
        )
    else:
        options = (proxy_settings or GatewayProxyOptions()).gateway_options()
    options = replace(
        options,
        mount=normalize_root_mount(root_mount),
        prefix=normalize_api_mount_path(api_prefix),
        access_log=access_log or options.access_log,
        docs_paths=docs_paths(api_app) if isinstance(api_app, FastAPI) else _ALL_DOCS,
        metrics_path="",
    )
    server = _NamedServer(upstream_resolver or (lambda: upstream_base))
    return _WithLifespan(api_app, Gateway(api_app, options, server))


def normalize_api_mount_path(api_mount_path: str) -> str:
    """Bring an API's prefix into normal form.

    >>> normalize_api_mount_path("v1/"), normalize_api_mount_path(" ")
    ('/v1', '/api')
    """
    return normalize(api_mount_path) or _DEFAULT_PREFIX


def normalize_root_mount(raw: str) -> str:
    """Bring an app's public path into normal form.

    >>> normalize_root_mount("apps/desk/"), normalize_root_mount("/")
    ('/apps/desk', '')
    """
    return normalize(raw)


def split_gateway_paths(path: str, root_mount: str) -> tuple[str, str]:
    """Return the path by which a gateway decides, and the one that it sends to Streamlit.

    >>> split_gateway_paths("/apps/desk/api/users", "/apps/desk")
    ('/api/users', '/apps/desk/api/users')
    >>> split_gateway_paths("/api/users", "/apps/desk")
    ('/api/users', '/apps/desk/api/users')
    """
    mount = normalize_root_mount(root_mount)
    rooted = path if path.startswith("/") else f"/{path}"
    rest = rooted.removeprefix(mount) if f"{rooted}/".startswith(f"{mount}/") else rooted
    rest = rest or "/"
    return rest, f"{mount}{rest}"


class _NamedServer:
    """A Streamlit server with an address of its own, which nobody here keeps alive."""

    def __init__(self, origin: Callable[[], str]) -> None:
        self._origin = origin

    def members(self) -> Sequence[Member]:
        origin = self._origin().strip().rstrip("/")
        return (Member(Upstream("ui-0", url=origin, managed=False)),) if origin else ()


class _WithLifespan:
    """A gateway whose lifespan is the API's."""

    def __init__(self, api: ASGIApp, gateway: Gateway) -> None:
        self._api = api
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._gateway(scope, receive, send)
            return
        await self._gateway.startup()
        try:
            await self._api(scope, receive, send)
        finally:
            await self._gateway.aclose()

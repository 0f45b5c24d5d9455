"""What a gateway is told once, when it is built: plain values, no settings object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fluxlit._types import JsonValue
from fluxlit.config import FluxlitSettings
from fluxlit.config.snapshot import redacted_settings

MAX_MESSAGE = 200 * 1024 * 1024
"""Bytes of one WebSocket message; Streamlit's own default (``server.maxMessageSize``, in MB)."""

MAX_IDLE = 64
"""Idle connections kept to one upstream where nothing is said."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """The gateway's whole configuration; every path is in normal form.

    Attributes:
        mount: Public path of the whole app.
        prefix: The API under the mount; empty when the API owns the root.
        ui_path: The UI under the mount; empty when the UI owns the root.
        public_base_url: Where browsers find the app; its origin may open WebSockets.
        allowed_origins: More origins that may; ``"*"`` allows all.
        trusted_proxies: Peers whose forwarding headers count: addresses, CIDR networks, ``"unix"``
            for peers on a Unix socket, ``"*"`` for everybody. Empty trusts nobody.
        connect_timeout: Seconds to reach an upstream.
        read_timeout: Seconds to its response head, and between two pieces of a body.
        max_body_bytes: Largest request body for the UI; 0 is unlimited.
        max_connections: HTTP connections to one upstream; 0 is unlimited.
        max_idle_connections: Those of them that are kept for later.
        max_waiting: Requests that wait for an upstream's answer at a time; 0 is unlimited. A
            request counts from when the upstream has all of it until the answer begins.
        queue_timeout: Seconds that a request may wait until it may wait there.
        client_timeout: Seconds for the next piece of a request body.
        page_patience: Seconds that an open page's request waits while no UI worker is there.
        passed_headers: Client headers that reach pages whoever sends them; lower-case.
        ws_open_timeout: Seconds for an upstream's WebSocket handshake.
        ws_ping_interval: Seconds between pings to an upstream; ``None`` sends some only to
            another machine.
        ws_ping_timeout: Seconds to wait for the pong.
        ws_close_timeout: Seconds to wait for an upstream's closing handshake.
        ws_max_message_bytes: Largest WebSocket message, either way.
        access_log: Write one line a request.
        request_log: Write one line a request that the API answers.
        secret_query_keys: Query parameters that logs leave out, besides the usual ones.
        debug_facts: What is told at :data:`~fluxlit._paths.DEBUG_PATH`; ``None`` tells nothing.
        docs_paths: Paths at the UI's root that lead to the API's documentation: ``"/docs"``.
        page_paths: Paths of pages that have parameters: ``"/users/{id}"``.
        internal_socket: Path of the gateway's private socket; connections that arrive on it reach
            the API only. Empty when there is none.
        metrics_path: Where the counts are served under the mount; empty for nowhere.
        secret: The service's secret, from which the key of the gateway's cookie is made.
    """

    mount: str = ""
    prefix: str = "/api"
    ui_path: str = ""
    public_base_url: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    connect_timeout: float = 30.0
    read_timeout: float = 120.0
    max_body_bytes: int = 0
    max_connections: int = 0
    max_idle_connections: int = MAX_IDLE
    max_waiting: int = 0
    queue_timeout: float = 5.0
    client_timeout: float = 60.0
    page_patience: float = 8.0
    passed_headers: frozenset[bytes] = frozenset()
    ws_open_timeout: float = 30.0
    ws_ping_interval: float | None = None
    ws_ping_timeout: float | None = None
    ws_close_timeout: float | None = None
    ws_max_message_bytes: int = MAX_MESSAGE
    access_log: bool = False
    request_log: bool = False
    secret_query_keys: frozenset[str] = frozenset()
    debug_facts: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    docs_paths: frozenset[str] = frozenset()
    page_paths: tuple[str, ...] = ()
    internal_socket: str = ""
    metrics_path: str = ""
    secret: str = field(default="", repr=False)

    @classmethod
    def from_settings(
        cls,
        settings: FluxlitSettings,
        *,
        docs_paths: frozenset[str],
        internal_socket: str,
        secret: str = "",
        page_paths: tuple[str, ...] = (),
    ) -> GatewayOptions:
        """Take from an app's settings what the gateway decides by."""
        return cls(
            mount=settings.public_mount_path(),
            prefix=settings.api_prefix(),
            ui_path=settings.ui_base(),
            public_base_url=settings.public_base_url,
            allowed_origins=tuple(settings.ui_allowed_origins),
            trusted_proxies=settings.effective_forwarded_allow_ips(),
            connect_timeout=settings.gateway_upstream_connect_timeout_s,
            read_timeout=settings.gateway_upstream_read_timeout_s,
            max_body_bytes=settings.gateway_max_proxy_request_body_bytes,
            max_connections=settings.gateway_httpx_max_connections,
            max_idle_connections=_idle(settings),
            max_waiting=settings.gateway_max_concurrent_upstream_http,
            queue_timeout=settings.gateway_queue_timeout_s,
            client_timeout=settings.gateway_client_timeout_s,
            passed_headers=frozenset(
                name.encode() for name in settings.gateway_forward_client_headers_to_streamlit
            ),
            ws_open_timeout=settings.gateway_ws_open_timeout_s,
            ws_ping_interval=settings.gateway_ws_ping_interval_s,
            ws_ping_timeout=settings.gateway_ws_ping_timeout_s,
            ws_close_timeout=settings.gateway_ws_close_timeout_s,
            ws_max_message_bytes=settings.gateway_ws_max_message_bytes or MAX_MESSAGE,
            access_log=settings.enable_gateway_access_log or settings.debug,
            request_log=settings.enable_request_logging,
            secret_query_keys=frozenset({settings.url_session_query_param}),
            debug_facts=redacted_settings(settings) if settings.debug else None,
            docs_paths=docs_paths,
            page_paths=page_paths,
            internal_socket=internal_socket,
            metrics_path=settings.metrics_path(),
            secret=secret,
        )


def _idle(settings: FluxlitSettings) -> int:
    said = settings.gateway_httpx_max_keepalive_connections
    return said or settings.gateway_httpx_max_connections or MAX_IDLE

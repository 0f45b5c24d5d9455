"""What a gateway is told once, when it is built: plain values, no settings object."""

from __future__ import annotations

from dataclasses import dataclass


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
        max_connections: Requests at one upstream at a time; 0 is unlimited.
        ws_open_timeout: Seconds for an upstream's WebSocket handshake.
        ws_ping_interval: Seconds between pings to an upstream; ``None`` sends none.
        ws_ping_timeout: Seconds to wait for the pong.
        ws_close_timeout: Seconds to wait for an upstream's closing handshake.
        ws_max_message_bytes: Largest WebSocket message, either way.
        access_log: Write one line a request.
        page_paths: First path segments of UI pages that a redirect to the API's docs must not hide.
        internal_socket: Path of the gateway's private socket; connections that arrive on it reach
            the API only. Empty when there is none.
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
    ws_open_timeout: float = 30.0
    ws_ping_interval: float | None = None
    ws_ping_timeout: float | None = None
    ws_close_timeout: float | None = None
    ws_max_message_bytes: int = 200 * 1024 * 1024
    access_log: bool = False
    page_paths: frozenset[str] = frozenset()
    internal_socket: str = ""

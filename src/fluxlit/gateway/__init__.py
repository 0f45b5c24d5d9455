"""The front door: one ASGI app that sends each request to the API or to the UI."""

from __future__ import annotations

from fluxlit.gateway.build import (
    GatewayProxyOptions,
    build_gateway,
    normalize_api_mount_path,
    normalize_root_mount,
    split_gateway_paths,
)
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream, Upstreams

__all__ = [
    "Gateway",
    "GatewayOptions",
    "GatewayProxyOptions",
    "Upstream",
    "Upstreams",
    "build_gateway",
    "normalize_api_mount_path",
    "normalize_root_mount",
    "split_gateway_paths",
]

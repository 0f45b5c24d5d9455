"""The front door: one ASGI app that sends each request to the API or to the UI."""

from __future__ import annotations

from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream, Upstreams

__all__ = ["Gateway", "GatewayOptions", "Upstream", "Upstreams"]

"""A gateway for a process of its own: ``uvicorn tests.gateway.served:app``."""

from __future__ import annotations

import os

from tests.gateway.harness import Fixed, WithLifespan, echo_api

from fluxlit.gateway import Gateway, GatewayOptions, Upstream

app = WithLifespan(
    Gateway(echo_api, GatewayOptions(), Fixed(Upstream("ui-0", os.environ["UPSTREAM_SOCKET"])))
)

"""A gateway worker: the API in process, everything else to the UI workers."""

from __future__ import annotations

import logging
from dataclasses import asdict
from functools import partial
from math import ceil
from pathlib import Path

import uvicorn

from fluxlit._types import JsonValue
from fluxlit.app import FluxLit
from fluxlit.config import FluxlitSettings
from fluxlit.config.deployment import observe
from fluxlit.config.rules import refuse_doubtful
from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.fleet import Fleet
from fluxlit.gateway.options import MAX_MESSAGE
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime._entry.warm import imported_packages
from fluxlit.runtime.loading import user_frames
from fluxlit.unified import UnifiedApp
from fluxlit.workers.board import Board
from fluxlit.workers.care import Limits
from fluxlit.workers.collector import freeze
from fluxlit.workers.handoff import HandoffProtocol
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import api_socket
from fluxlit.workers.server import WorkerServer, serve
from fluxlit.workers.spec import WorkerSpec

DEFAULT_GRACE = 30
"""Seconds for requests in flight when a worker drains, unless a setting says otherwise."""

DEVELOPMENT_GRACE = 2
"""The same while the app is being written: who is connected for long is to see the new code."""

LAST_CALL_SECONDS = 1.0
"""Seconds that an idle connection gets for one more request when a worker ends."""

API_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message that the API's WebSockets take in any case; Uvicorn's own default."""

PING_SECONDS = 20.0
"""Uvicorn's own default; below the 60 s after which common proxies cut an idle connection."""


def serve_gateway(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Tell the supervisor where to listen, get the sockets, serve on them."""
    settings = app.settings
    refuse_doubtful(observe(settings, development=spec.development, workers=spec.workers))
    lifeline.report(
        "loaded",
        host=settings.gateway_host,
        port=settings.gateway_port,
        title=settings.title,
        mount=settings.public_mount_path(),
        prefix=settings.api_prefix(),
        ui=settings.ui_base(),
        docs=app.api.docs_url,
        grace=_grace(settings, spec),
        log_level=settings.effective_log_level(),
        ui_workers=settings.effective_ui_workers(),
        spare=settings.gateway_spare,
        ui_limits=asdict(Limits.of_ui(settings, development=spec.development)),
        modules=list[JsonValue](imported_packages()) if spec.reload else [],
        gateway_limits=asdict(Limits.of_gateway(settings, development=spec.development)),
    )
    _, sockets = lifeline.receive()
    fleet = Fleet(secret=spec.cookie_secret, hands_over=settings.ui_handoff)
    fleet.join(Path(spec.run_directory), spec.row)
    pulse = Pulse(Board(Path(spec.run_directory)).row(spec.row))
    unified = app.asgi(fleet, internal_socket=api_socket(spec.run_directory))
    server = WorkerServer(
        _server_config(app, unified, _grace(settings, spec)),
        lambda: _ready(lifeline, settings),
        last_call=0.0 if spec.development else LAST_CALL_SECONDS,
    )
    # A start that fails is told once, by the supervisor.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        serve(server, sockets, pulse.run)
    except SystemExit as exc:  # Uvicorn's way to say that the lifespan failed
        raise _reason(unified) from exc


def _ready(lifeline: Lifeline, settings: FluxlitSettings) -> None:
    configure_logging(settings.effective_log_level())
    freeze()
    lifeline.report("ready")


def _server_config(app: FluxLit, unified: UnifiedApp, grace: int) -> uvicorn.Config:
    settings = app.settings
    return uvicorn.Config(
        unified,
        interface="asgi3",  # Uvicorn would take a call that is no coroutine function for ASGI 2
        lifespan="on",
        http=partial(HTTPProtocol, limits=ConnectionLimits.from_settings(settings)),  # type: ignore[arg-type]  # called as a class is
        ws=HandoffProtocol,
        # The UI's own limit holds behind this one, which is also that of the API's WebSockets.
        ws_max_size=max(settings.gateway_ws_max_message_bytes or MAX_MESSAGE, API_MESSAGE),
        ws_ping_interval=settings.gateway_ws_ping_interval_s or PING_SECONDS,
        ws_ping_timeout=settings.gateway_ws_ping_timeout_s or PING_SECONDS,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        # The gateway reads forwarding headers itself, and only from proxies that are trusted.
        proxy_headers=False,
        timeout_keep_alive=ceil(settings.gateway_keep_alive_timeout_s),
        timeout_graceful_shutdown=grace,
    )


def _grace(settings: FluxlitSettings, spec: WorkerSpec) -> int:
    grace = settings.uvicorn_graceful_shutdown_timeout_s
    if grace is None:
        return DEVELOPMENT_GRACE if spec.development else DEFAULT_GRACE
    return ceil(grace)


def _reason(unified: UnifiedApp) -> FluxLitError:
    failure = unified.failure
    if not isinstance(failure, FluxLitError):
        return StartupError(f"the service did not start: {failure!r}")
    if failure.__cause__ is None:
        return failure
    lines = [failure.message, *user_frames(failure.__cause__)]
    return StartupError("\n".join(lines), remedy=failure.remedy)


if __name__ == "__main__":
    run_worker(serve_gateway)

"""A gateway worker: the API in process, everything else to the UI workers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from math import ceil
from pathlib import Path

import uvicorn

from fluxlit._secrets import derived
from fluxlit._types import ASGIApp, JsonValue
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
from fluxlit.runtime.banner import Address
from fluxlit.runtime.loading import user_frames
from fluxlit.workers.board import Board
from fluxlit.workers.care import Limits
from fluxlit.workers.collector import freeze
from fluxlit.workers.guard import ByPort, Guarded
from fluxlit.workers.handoff import HandoffProtocol
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import api_socket
from fluxlit.workers.server import WorkerServer, serve
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.ui_plan import UIPlan

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
    deployment = observe(
        settings, development=spec.development, workers=spec.workers, store=app.session_store
    )
    refuse_doubtful(deployment)
    lifeline.report("loaded", **asdict(address_of(app, spec)))
    _, sockets = lifeline.receive()

    def ready() -> None:
        configure_logging(settings.effective_log_level())
        freeze()
        lifeline.report("ready")

    service = Service(app, app.ui_plan(spec), sockets, ready, lifeline.report_closed)
    # A start that fails is told once, by the supervisor.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        serve(service.server, sockets, *service.jobs)
    except SystemExit as exc:  # Uvicorn's way to say that the lifespan failed
        raise service.reason() from exc


def address_of(app: FluxLit, spec: WorkerSpec) -> Address:
    """Return where an app wants to be served, and how."""
    settings = app.settings
    is_embedded = settings.ui_mode == "embedded"  # then it is this worker that holds sessions
    limits = Limits.of_ui if is_embedded else Limits.of_gateway
    key = derived(settings.service_secret(spec.cookie_secret), "door")
    return Address(
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
        gateway_limits=asdict(limits(settings, development=spec.development)),
        door_key="" if settings.uses_unix_sockets() else key,
    )


class Service:
    """The service as one gateway worker serves it.

    Args:
        app: The app.
        ui: What a UI in this process is told, if it is to be here.
        sockets: Where it is going to listen: the public sockets, then the private one.
        on_ready: Called once, when it serves.
        on_closed: Called once, when it accepts nobody any more.

    Attributes:
        server: The server.
        jobs: What runs beside it.
    """

    def __init__(
        self,
        app: FluxLit,
        ui: UIPlan,
        sockets: Sequence[socket.socket],
        on_ready: Callable[[], None],
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        settings, spec = app.settings, ui.spec
        directory = Path(spec.run_directory)
        fleet = Fleet.of(settings, spec.cookie_secret)
        fleet.join(directory, spec.row)
        self._unified = app.asgi(fleet, internal=api_socket(directory), ui=ui)
        served: ASGIApp = self._unified
        if not settings.uses_unix_sockets():
            private = Guarded(self._unified.internal, derived(fleet.secret, "door"))
            served = ByPort(served, sockets[-1].getsockname()[1], private)
        self.server = WorkerServer(
            _server_config(settings, served, _grace(settings, spec)),
            on_ready,
            on_closed,
            last_call=0.0 if spec.development else LAST_CALL_SECONDS,
        )
        is_told_of = settings.ui_mode == "embedded"  # by the UI, which counts its visitors, too
        self.jobs = [] if is_told_of else [Pulse(Board(directory).row(spec.row)).run]

    def reason(self) -> FluxLitError:
        """Return why the lifespan failed, from the user's own code on."""
        failure = self._unified.failure
        if not isinstance(failure, FluxLitError):
            return StartupError(f"the service did not start: {failure!r}", by_app=True)
        if failure.__cause__ is None:
            return failure
        lines = [failure.message, *user_frames(failure.__cause__)]
        return StartupError("\n".join(lines), remedy=failure.remedy, by_app=True)


def _server_config(settings: FluxlitSettings, served: ASGIApp, grace: int) -> uvicorn.Config:
    return uvicorn.Config(
        served,
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


if __name__ == "__main__":
    run_worker(serve_gateway)

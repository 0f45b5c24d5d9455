"""A UI worker: Streamlit's ASGI app on a private Unix socket."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from fluxlit import _env
from fluxlit._types import ASGIApp
from fluxlit.app import FluxLit
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import StartupError
from fluxlit.logging import configure_logging
from fluxlit.metrics import Tallies
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime.edits import Watch
from fluxlit.runtime.watching import Need, sources_of
from fluxlit.workers.adopted import Adopted
from fluxlit.workers.adoption import HandoffListener, PageProtocol
from fluxlit.workers.board import Board
from fluxlit.workers.collector import Collector, Policy, freeze, own_full_collections
from fluxlit.workers.handoff import SUPPORTED
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import api_socket, handoff_socket, ui_socket
from fluxlit.workers.server import Job, WorkerServer, serve
from fluxlit.workers.sockets import bind_unix
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.traffic import Counted, Traffic

if TYPE_CHECKING:
    from fluxlit._streamlit.runs import RunWatch
    from fluxlit._streamlit.sources import SourceEdits

PAGES_SCRIPT = Path(__file__).parents[1] / "_script" / "fluxlit_pages.py"
"""The script that Streamlit runs for an app whose pages are functions."""

_BORN = time.time()
"""When this process began: what is edited later may be newer than what it has imported."""

GRACE = 2
"""Seconds for browsers to answer the closing of their WebSockets."""

HEAD_ADDED = 8 * 1024
"""Bytes that the gateway's forwarding headers and request id may add to a head."""


def serve_ui(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Serve the app's UI until asked to end."""
    _tell_pages(spec, app)
    row = Board(Path(spec.run_directory)).row(spec.row)
    traffic = Traffic()
    edits = _edits(spec)
    watched = _streamlit_app(spec, app, edits)
    served = Counted(Adopted(watched, _observer(spec, app)), traffic)
    path = ui_socket(spec.run_directory, spec.slot, spec.generation)

    def ready() -> None:
        freeze()
        lifeline.report("ready")

    server = WorkerServer(_server_config(served, app.settings), ready)
    jobs = [Pulse(row, traffic).run]
    if app.settings.ui_collector:
        jobs.append(_collector(app.settings, watched))
    if edits is not None:
        jobs.append(
            partial(_follow, Watch(sources_of(spec.target, spec.reload_dirs), since=_BORN), edits)
        )
    if SUPPORTED:
        jobs.append(HandoffListener(handoff_socket(path), server, traffic).run)
    serve(server, [bind_unix(path)], *jobs)


def _observer(spec: WorkerSpec, app: FluxLit) -> Callable[[float], None] | None:
    """Return where to note how long a handed-over WebSocket was open, if that is counted."""
    if not app.settings.metrics_path():
        return None
    tally = Tallies(Path(spec.run_directory)).tally(spec.row)
    return lambda seconds: tally.observe("streamlit", seconds)


def _collector(settings: FluxlitSettings, watched: RunWatch) -> Job:
    """Put a collector beside the runs; return what looks while none ends."""
    from fluxlit._streamlit.sessions import held_sessions  # noqa: PLC0415 - Streamlit is set up by now

    policy = Policy.from_settings(settings)
    collector = Collector(policy, lambda: watched.waiting, sessions=held_sessions)
    watched.on_end = collector.run_ended
    own_full_collections()
    return collector.run


def _tell_pages(spec: WorkerSpec, app: FluxLit) -> None:
    """Put into the environment what code in pages reads there."""
    os.environ[_env.APP] = spec.target
    os.environ[_env.API_PREFIX] = app.settings.api_prefix()
    if not os.environ.get(_env.INTERNAL_API_BASE):
        os.environ[_env.INTERNAL_API_BASE] = app.settings.internal_api_base()
        os.environ[_env.INTERNAL_API_SOCKET] = api_socket(spec.run_directory)


def _edits(spec: WorkerSpec) -> SourceEdits | None:
    """Return what tells the open pages of edits, if they follow them."""
    if not spec.reload:
        return None
    from fluxlit._streamlit.sources import SourceEdits  # noqa: PLC0415 - reported if it is missing

    return SourceEdits(sources_of(spec.target, spec.reload_dirs).own)


async def _follow(watch: Watch, edits: SourceEdits) -> None:
    """Tell the open pages of each edit of code; for one of settings a successor is on its way."""
    async with aclosing(watch.edits()) as found:
        async for edit in found:
            if edit.need is Need.GATEWAY:
                await asyncio.to_thread(edits.happened, [str(path) for path in edit.paths])


def _streamlit_app(spec: WorkerSpec, app: FluxLit, edits: SourceEdits | None) -> RunWatch:
    try:
        from fluxlit._streamlit.runs import RunWatch  # noqa: PLC0415 - reported if it is missing
        from fluxlit._streamlit.server import StreamlitOptions, configure, create_app  # noqa: PLC0415 - reported if it is missing
    except ModuleNotFoundError as exc:
        msg = f"Streamlit cannot be imported: {exc}"
        raise StartupError(msg, remedy=f"{sys.executable} -m pip install streamlit") from exc
    settings = app.settings
    script = app.streamlit_script
    if script is not None:
        sys.path.insert(0, str(script.parent))  # as `streamlit run` does
    options = StreamlitOptions(
        script=script or PAGES_SCRIPT,
        base_path=settings.public_mount_path() + settings.ui_base(),
        run_args=tuple(settings.streamlit_run_cli_args),
        development=spec.development,
        edits=edits,
        cookie_secret=spec.cookie_secret,
        allowed_origins=tuple(settings.ui_allowed_origins),
        collects=not settings.ui_collector,
        icons=any(page.icon for page in app.page_records),
    )
    configure(options)
    served = RunWatch(create_app(options))
    configure_logging(
        settings.effective_log_level()
    )  # Streamlit has set up the server's loggers its own way
    return served


def _server_config(app: ASGIApp, settings: FluxlitSettings) -> uvicorn.Config:
    from fluxlit._streamlit.server import server_options  # noqa: PLC0415 - Streamlit is set up by now

    limits = ConnectionLimits.from_settings(settings)
    # The gateway has bounded the head, and then added to it.
    limits = replace(limits, max_head_bytes=limits.max_head_bytes + HEAD_ADDED)
    return uvicorn.Config(
        app,
        lifespan="on",
        http=partial(HTTPProtocol, limits=limits),  # type: ignore[arg-type]  # called as a class is
        ws=PageProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Only the gateway can reach the socket, and it says who the client is.
        proxy_headers=True,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=GRACE,
        **server_options(
            ping_interval=settings.gateway_ws_ping_interval_s,
            ping_timeout=settings.gateway_ws_ping_timeout_s,
            max_message_bytes=settings.gateway_ws_max_message_bytes,
        ),
    )


if __name__ == "__main__":
    run_worker(serve_ui)

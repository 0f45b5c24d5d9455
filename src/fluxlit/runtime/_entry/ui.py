"""A UI worker: Streamlit's ASGI app on a private Unix socket."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn

from fluxlit import _env
from fluxlit._types import ASGIApp
from fluxlit.app import FluxLit
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import StartupError
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime.targets import parse_target, source_folder
from fluxlit.workers.adoption import HandoffListener, PageProtocol
from fluxlit.workers.collector import Collector, Policy, freeze, own_full_collections
from fluxlit.workers.handoff import SUPPORTED
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.rundir import api_socket, handoff_socket, ui_socket
from fluxlit.workers.server import Job, WorkerServer, serve
from fluxlit.workers.sockets import bind_unix
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.traffic import Counted, Traffic

if TYPE_CHECKING:
    from fluxlit._streamlit.runs import RunWatch

PAGES_SCRIPT = Path(__file__).parents[1] / "_script" / "fluxlit_pages.py"
"""The script that Streamlit runs for an app whose pages are functions."""

GRACE = 2
"""Seconds for browsers to answer the closing of their WebSockets."""

HEAD_ADDED = 8 * 1024
"""Bytes that the gateway's forwarding headers and request id may add to a head."""


def serve_ui(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Serve the app's UI until asked to end."""
    _tell_pages(spec, app)
    traffic = Traffic()
    watched = _streamlit_app(spec, app)
    door = Door(Path(ui_socket(spec.run_directory, spec.slot)))

    def ready() -> None:
        freeze()
        door.open()
        lifeline.report("ready")

    server = WorkerServer(_server_config(Counted(watched, traffic), app.settings), ready)
    jobs = [_collector(app.settings, watched)] if app.settings.ui_collector else []
    if SUPPORTED:
        jobs.append(HandoffListener(str(door.fresh_handoff), server, traffic).run)
    try:
        serve(server, [bind_unix(str(door.fresh))], *jobs)
    finally:
        door.close()


class Door:
    """The two sockets of a worker under the names by which gateways find it.

    They are bound under names of their own and renamed when the worker is ready: beside the old
    worker's first, then over them, so that there is no moment without a worker.

    Args:
        final: Where the worker's server is to be found.
    """

    def __init__(self, final: Path) -> None:
        self.fresh = final.with_name(f"{final.stem}.{os.getpid()}.sock")
        self.fresh_handoff = Path(handoff_socket(str(self.fresh)))
        self._finals = {self.fresh_handoff: Path(handoff_socket(str(final))), self.fresh: final}
        self._inodes: dict[Path, int] = {}

    def open(self) -> None:
        """Let gateways find the worker."""
        for fresh, final in self._finals.items():
            if fresh.exists():
                self._inodes[final] = fresh.stat().st_ino
                fresh.rename(final)

    def close(self) -> None:
        """Remove the names unless a newer worker has put its own in their place."""
        for final, inode in self._inodes.items():
            if final.exists() and final.stat().st_ino == inode:
                final.unlink()


def _collector(settings: FluxlitSettings, watched: RunWatch) -> Job:
    """Put a collector beside the runs; return what looks while none ends."""
    policy = Policy(
        idle=settings.ui_collector_idle_s,
        growth=settings.ui_collector_growth_bytes,
        limit=settings.ui_collector_limit_bytes,
    )
    collector = Collector(policy, lambda: watched.waiting)
    watched.on_end = collector.run_ended
    own_full_collections()
    return collector.run


def _tell_pages(spec: WorkerSpec, app: FluxLit) -> None:
    """Put into the environment what code in pages reads there."""
    os.environ[_env.APP] = spec.target
    os.environ[_env.API_PREFIX] = app.settings.api_prefix()
    if not os.environ.get(_env.INTERNAL_API_BASE):
        os.environ[_env.INTERNAL_API_BASE] = internal_base(app)
        os.environ[_env.INTERNAL_API_SOCKET] = api_socket(spec.run_directory)


def internal_base(app: FluxLit) -> str:
    """Return the API's URL as a page sees it; the bytes travel over the private socket.

    The host is the public one where it is known, which is what host checks of the API expect.
    """
    settings = app.settings
    prefix = settings.api_prefix()
    public = urlsplit(settings.public_base_url.strip()).netloc
    if public:
        return f"http://{public}{prefix}"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.gateway_host, settings.gateway_host)  # noqa: S104 - read, not bound
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.gateway_port}{prefix}"


def _streamlit_app(spec: WorkerSpec, app: FluxLit) -> RunWatch:
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
        source_folder=source_folder(parse_target(spec.target)) if spec.development else None,
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

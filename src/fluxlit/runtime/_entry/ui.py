"""A UI worker: Streamlit's ASGI app on a private Unix socket."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn

from fluxlit import _env
from fluxlit._types import ASGIApp, Message, Receive, Scope, Send
from fluxlit.app import FluxLit
from fluxlit.exceptions import StartupError
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.lifeline import Lifeline, run_worker
from fluxlit.runtime.targets import parse_target, source_folder
from fluxlit.workers.collector import IdleCollector, freeze
from fluxlit.workers.rundir import api_socket, ui_socket
from fluxlit.workers.server import WorkerServer, serve
from fluxlit.workers.sockets import bind_unix
from fluxlit.workers.spec import WorkerSpec

PAGES_SCRIPT = Path(__file__).parents[1] / "_script" / "fluxlit_pages.py"
"""The script that Streamlit runs for an app whose pages are functions."""

GRACE = 2
"""Seconds for browsers to answer the closing of their WebSockets."""


def serve_ui(lifeline: Lifeline, spec: WorkerSpec, app: FluxLit) -> None:
    """Serve the app's UI until asked to end."""
    _tell_pages(spec, app)
    counter = ActivityCounter(_streamlit_app(spec, app))
    final = Path(ui_socket(spec.run_directory, spec.slot))
    fresh = final.with_name(f"{final.stem}.{os.getpid()}.sock")
    sock = bind_unix(str(fresh))
    inode = fresh.stat().st_ino

    def ready() -> None:
        freeze()
        fresh.rename(final)  # beside the old one, then over it: no moment without a worker
        lifeline.report("ready")

    try:
        server = WorkerServer(_server_config(counter), ready)
        serve(server, [sock], IdleCollector(lambda: counter.seen).run)
    finally:
        _unlink_own(final, inode)


class ActivityCounter:
    """Counts the messages of a worker, so that its collector knows when nobody waits.

    Args:
        app: The app to count for.

    Attributes:
        seen: Messages so far, both ways.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seen = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""

        async def counted_receive() -> Message:
            message = await receive()
            self.seen += 1
            return message

        async def counted_send(message: Message) -> None:
            self.seen += 1
            await send(message)

        await self._app(scope, counted_receive, counted_send)


def _tell_pages(spec: WorkerSpec, app: FluxLit) -> None:
    """Put into the environment what code in pages reads there."""
    os.environ[_env.APP] = spec.target
    os.environ[_env.API_PREFIX] = app.settings.api_prefix()
    if not os.environ.get(_env.INTERNAL_API_BASE):
        os.environ[_env.INTERNAL_API_BASE] = internal_base(app)
        os.environ[_env.INTERNAL_API_SOCKET] = api_socket(spec.run_directory)


def internal_base(app: FluxLit) -> str:
    """Return the API's URL as a page sees it; the bytes travel over the private socket."""
    settings = app.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.gateway_host, settings.gateway_host)  # noqa: S104 - read, not bound
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.gateway_port}{settings.api_prefix()}"


def _streamlit_app(spec: WorkerSpec, app: FluxLit) -> ASGIApp:
    try:
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
        allowed_origins=tuple(settings.cors_allow_origins),
    )
    configure(options)
    served = create_app(options)
    configure_logging(settings.log_level)  # Streamlit has set up the server's loggers its own way
    return served


def _server_config(app: ASGIApp) -> uvicorn.Config:
    from fluxlit._streamlit.server import server_options  # noqa: PLC0415 - Streamlit is set up by now

    return uvicorn.Config(
        app,
        lifespan="on",
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Only the gateway can reach the socket, and it says who the client is.
        proxy_headers=True,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=GRACE,
        **server_options(),
    )


def _unlink_own(socket_path: Path, inode: int) -> None:
    """Remove the socket unless a newer worker has put its own in its place."""
    if socket_path.exists() and socket_path.stat().st_ino == inode:
        socket_path.unlink()


if __name__ == "__main__":
    run_worker(serve_ui)

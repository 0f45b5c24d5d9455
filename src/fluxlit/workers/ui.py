"""What serves an app's UI: Streamlit's ASGI app with its server, in whichever process it is.

That is a UI worker's, or the gateway's own where the UI is embedded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from fluxlit import _env
from fluxlit._headers import SOCKETS, STREAMLIT
from fluxlit._secrets import derived
from fluxlit._types import ASGIApp
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import StartupError
from fluxlit.logging import loggers_kept
from fluxlit.metrics import Tallies
from fluxlit.workers.adopted import Adopted
from fluxlit.workers.adoption import HandoffListener, PageProtocol
from fluxlit.workers.board import COLUMN, Board
from fluxlit.workers.collector import Collector, Policy, own_full_collections
from fluxlit.workers.guard import Guarded, Telling
from fluxlit.workers.handoff import SUPPORTED
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.private import beside
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import api_door, api_socket, handoff_socket, ui_socket
from fluxlit.workers.server import Job, WorkerServer
from fluxlit.workers.sockets import bind_tcp, bind_unix
from fluxlit.workers.traffic import Counted, Traffic
from fluxlit.workers.ui_plan import UIPlan

_LOG: Final = logging.getLogger("fluxlit.workers")

if TYPE_CHECKING:
    from fluxlit._streamlit.runs import RunWatch

PAGES_SCRIPT: Final = Path(__file__).parents[1] / "runtime" / "_script" / "fluxlit_pages.py"
"""The script that Streamlit runs for an app whose pages are functions."""

GRACE: Final = 2
"""Seconds for browsers to answer the closing of their WebSockets."""

HEAD_ADDED: Final = 8 * 1024
"""Bytes that the gateway's forwarding headers and request id may add to a head."""

HEALTH: Final = "/_stcore/health"


class UI:
    """One app's UI.

    Args:
        plan: Whose, and how.

    Raises:
        StartupError: Streamlit is not there, or has served another UI in this process.
        ConfigurationError: An option for Streamlit cannot be used.
    """

    def __init__(self, plan: UIPlan) -> None:
        self._plan = plan
        self._traffic = Traffic()
        spec = plan.spec
        self._row = Board(Path(spec.run_directory)).row(spec.row)
        self._path = ui_socket(spec.run_directory, spec.slot, spec.generation)
        self._watched = _streamlit_app(plan)
        self._app = self._with_doorkeeper(
            Counted(Adopted(self._watched, self._observer()), self._traffic)
        )

    def listen(self) -> socket.socket:
        """Listen where gateways look for this UI.

        Raises:
            StartupError: The port cannot be had.
        """
        if self._plan.uses_sockets:
            return bind_unix(self._path)
        sock = self._port()
        self._row[COLUMN["port"]] = sock.getsockname()[1]
        return sock

    def server(
        self, on_ready: Callable[[], None], on_closed: Callable[[], None] = lambda: None
    ) -> WorkerServer:
        """Make the server; it calls each once, when it serves and when it accepts nobody more."""
        return WorkerServer(_server_config(self._app, self._plan.settings), on_ready, on_closed)

    def jobs(self, server: WorkerServer) -> list[Job]:
        """Return what runs beside the server."""
        jobs = [Pulse(self._row, self._traffic).run]
        if self._plan.settings.ui_collector:
            jobs.append(self._collector())
        if SUPPORTED and self._plan.uses_sockets:
            jobs.append(HandoffListener(handoff_socket(self._path), server, self._traffic).run)
        return jobs

    @contextlib.asynccontextmanager
    async def embedded(self) -> AsyncIterator[None]:
        """Serve beside the gateway's own server for as long as the block lasts."""
        self._row[COLUMN["hosts_ui"]] = 1
        ready = asyncio.Event()
        server = self.server(ready.set)
        jobs = [asyncio.ensure_future(job()) for job in self.jobs(server)]
        try:
            with _threads_kept() as keep_threads:
                async with beside(server, [self.listen()], ready):
                    keep_threads()
                    yield
        finally:
            for job in jobs:
                job.cancel()

    def _port(self) -> socket.socket:
        """Listen on the port that the settings name, or on another while it is a predecessor's."""
        host, first = self._plan.settings.streamlit_host, self._plan.settings.streamlit_port
        wanted = first + self._plan.spec.slot if first else 0
        try:
            return bind_tcp(host, wanted)
        except StartupError as exc:
            if not wanted:
                raise
            _LOG.warning("the UI listens on another port: %s", exc)
            return bind_tcp(host, 0)

    def _with_doorkeeper(self, app: ASGIApp) -> ASGIApp:
        if self._plan.uses_sockets:
            return app
        if self._plan.spec.alone:
            release, traffic = version("streamlit").encode("ascii"), self._traffic

            def told() -> list[tuple[bytes, bytes]]:
                return [(STREAMLIT, release), (SOCKETS, b"%d" % traffic.sockets)]

            app = Telling(app, self._plan.base_path + HEALTH, told)
        return Guarded(app, derived(self._plan.secret, "door"))

    def _observer(self) -> Callable[[float], None] | None:
        """Return where to note how long a handed-over WebSocket was open, if that is counted."""
        spec = self._plan.spec
        if not self._plan.settings.metrics_path():
            return None
        tally = Tallies(Path(spec.run_directory)).tally(spec.row)
        return lambda seconds: tally.observe("streamlit", seconds)

    def _collector(self) -> Job:
        """Put a collector beside the runs; return what looks while none ends."""
        from fluxlit._streamlit.sessions import held_sessions  # noqa: PLC0415 - reported if missing

        watched, policy = self._watched, Policy.from_settings(self._plan.settings)
        if self._plan.is_guest:  # its host has other things to do than to look at everything
            collector = Collector(policy, lambda: watched.waiting)
        else:
            collector = Collector(policy, lambda: watched.waiting, sessions=held_sessions)
            own_full_collections()
        watched.on_end = collector.run_ended
        return collector.run


@contextlib.asynccontextmanager
async def embedded(plan: UIPlan) -> AsyncIterator[None]:
    """Serve a UI in this process, beside its server, for as long as the block lasts.

    Raises:
        StartupError: It cannot be served here.
        ConfigurationError: An option for Streamlit cannot be used.
    """
    with telling_pages(plan):
        async with UI(plan).embedded():
            yield


@contextlib.contextmanager
def telling_pages(plan: UIPlan) -> Iterator[None]:
    """Put into the environment what code in pages reads there; take it out at the end.

    Raises:
        StartupError: The pages' API is elsewhere, and where was not said.
    """
    told = {
        _env.APP: plan.spec.target,
        _env.API_PREFIX: plan.settings.api_prefix(),
        _env.URL_SESSION_PARAM: plan.settings.url_session_query_param,
    }
    if not os.environ.get(_env.INTERNAL_API_BASE):
        told |= _api_of(plan)
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _api_of(plan: UIPlan) -> dict[str, str]:
    spec = plan.spec
    if spec.alone:
        msg = "pages of `fluxlit ui` call an API elsewhere, and where is not said"
        remedy = f"set {_env.INTERNAL_API_BASE}, such as https://app.example.org/api"
        raise StartupError(msg, remedy=remedy)
    door = api_socket if plan.settings.uses_unix_sockets() else api_door
    return {
        _env.INTERNAL_API_BASE: plan.settings.internal_api_base(),
        _env.INTERNAL_API_SOCKET: door(spec.run_directory),
    }


@contextlib.contextmanager
def _threads_kept() -> Iterator[Callable[[], None]]:
    """Give what sets back the number of threads for the API's functions.

    Streamlit sets it for a process that has nothing but files to send (starlette_app.py,
    ``_set_anyio_thread_limiter``).
    """
    from anyio.to_thread import current_default_thread_limiter  # noqa: PLC0415 - asks for a loop

    limiter = current_default_thread_limiter()
    before = limiter.total_tokens

    def keep() -> None:
        limiter.total_tokens = before

    yield keep


def _streamlit_app(plan: UIPlan) -> RunWatch:
    try:
        with loggers_kept():  # Streamlit would set them up its own way
            from fluxlit._streamlit.runs import RunWatch  # noqa: PLC0415 - reported if missing
            from fluxlit._streamlit.server import StreamlitOptions, configure, create_app  # noqa: PLC0415 - reported if missing
    except ModuleNotFoundError as exc:
        msg = f"Streamlit cannot be imported: {exc}"
        raise StartupError(msg, remedy=f"{sys.executable} -m pip install streamlit") from exc
    settings, script = plan.settings, plan.script
    if script is not None and str(script.parent) not in sys.path:
        sys.path.insert(0, str(script.parent))  # as `streamlit run` does
    options = StreamlitOptions(
        script=script or PAGES_SCRIPT,
        base_path=plan.base_path,
        run_args=tuple(settings.streamlit_run_cli_args),
        development=plan.spec.development,
        edits=plan.edits,
        cookie_secret=plan.secret,
        allowed_origins=tuple(settings.ui_allowed_origins),
        collects=not settings.ui_collector,
        icons=plan.icons,
        on_error=plan.on_error,
    )
    arguments = sys.argv
    with loggers_kept():
        configure(options)
        served = RunWatch(create_app(options))
    if plan.is_guest:
        sys.argv = arguments
    return served


def _server_config(app: ASGIApp, settings: FluxlitSettings) -> uvicorn.Config:
    from fluxlit._streamlit.server import server_options  # noqa: PLC0415 - Streamlit is set up by now

    limits = ConnectionLimits.from_settings(settings)
    # The gateway has bounded the head, and then added to it.
    limits = replace(limits, max_head_bytes=limits.max_head_bytes + HEAD_ADDED)
    return uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="on",
        http=partial(HTTPProtocol, limits=limits),  # type: ignore[arg-type]  # called as a class is
        ws=PageProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Only a gateway can get in, and it says who the client is.
        proxy_headers=True,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=GRACE,
        **server_options(
            ping_interval=settings.gateway_ws_ping_interval_s,
            ping_timeout=settings.gateway_ws_ping_timeout_s,
            max_message_bytes=settings.gateway_ws_max_message_bytes,
        ),
    )

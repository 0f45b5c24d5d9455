"""The UI beside a server that FluxLit did not start: ``uvicorn app:app``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from fluxlit import _env
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.exceptions import StartupError
from fluxlit.gateway.upstream import Upstream
from fluxlit.unified import State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.pool import WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.rundir import (
    RunDirectory,
    api_socket,
    base_directory,
    handoff_socket,
    ui_socket,
)
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit")

STOP_GRACE: Final = 5.0
"""Seconds that a UI worker has to end after the last request was served."""


class LocalUpstreams:
    """The UI workers of one run directory, as the gateway sees them.

    Args:
        hands_over: Whether browsers' sockets are handed to the workers where the server can.

    Attributes:
        directory: The run directory; None until there is one.
    """

    def __init__(self, directory: Path | None = None, *, hands_over: bool = False) -> None:
        self.directory = directory
        self._hands_over = hands_over

    def select(self, scope: Scope) -> Upstream:  # noqa: ARG002 - one worker needs no choice
        """Return the worker that serves a request."""
        folder = self.directory or Path("/nonexistent")
        path = ui_socket(folder, 0)
        handoff = handoff_socket(path) if self._hands_over else None
        return Upstream(name="ui-0", socket_path=path, handoff_path=handoff)


def spec_beside(target: str, *, development: bool) -> WorkerSpec:
    """Return what a UI worker is told that serves beside this process."""
    return WorkerSpec(
        target=target,
        run_directory="",
        development=development,
        search_path=[entry or str(Path.cwd()) for entry in sys.path],
        cookie_secret=secrets.token_hex(32),
    )


class Sidecar:
    """The UI worker of an app that a foreign server runs: ``uvicorn app:app``.

    Args:
        spec: What the UI worker is told; the run directory is filled in here.
        upstreams: Told of the run directory as soon as there is one.
        private: The app that pages reach over the private socket.
    """

    def __init__(self, spec: WorkerSpec, upstreams: LocalUpstreams, private: ASGIApp) -> None:
        self._spec = spec
        self._upstreams = upstreams
        self._private = private

    @contextlib.asynccontextmanager
    async def __call__(self, state: State) -> AsyncIterator[None]:
        """Start the UI worker and the private socket; stop both at the end.

        Args:
            state: What the API's lifespan yields, once it has; for requests on the private socket.
        """
        from fluxlit.workers.private import private_server  # noqa: PLC0415 - brings Uvicorn

        refuse_several_workers()
        with RunDirectory(base_directory(os.environ)) as directory:
            spec = self._spec.in_directory(directory.path)
            pool = WorkerPool(1, lambda slot: _launch_ui(spec.for_slot(slot)))
            self._upstreams.directory = directory.path
            private = WithState(self._private, state)
            async with private_server(private, api_socket(directory.path)):
                await pool.start()
                keeper = asyncio.create_task(_keep(pool))
                try:
                    yield
                finally:
                    keeper.cancel()
                    await pool.stop(STOP_GRACE)


async def _keep(pool: WorkerPool) -> None:
    """Keep the UI worker alive; the API stays if the UI keeps dying, and readiness says so."""
    try:
        await pool.keep()
    except StartupError as exc:
        _LOG.critical("the UI is down until this server is started again: %s", exc)


async def _launch_ui(spec: WorkerSpec) -> WorkerProcess:
    return await launch(WorkerProcess(WorkerKind.UI, spec))


class WithState:
    """An app whose requests find the state of a lifespan that another server runs.

    Args:
        app: The app.
        state: The lifespan's state.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope; each gets a copy, as the server's own requests do."""
        await self._app({**scope, "state": dict(self._state)}, receive, send)


def refuse_several_workers() -> None:
    """Refuse to run as one of several Uvicorn workers, each of which would run a UI of its own.

    Raises:
        StartupError: This process is one of several.
    """
    workers = uvicorn_workers()
    if workers > 1 and not _env.is_truthy(os.environ.get(_env.ALLOW_UNIFIED_MULTIWORKER)):
        msg = f"uvicorn --workers {workers} would start {workers} UIs that do not know each other"
        remedy = (
            f"use `fluxlit run --workers {workers}`, or set {_env.ALLOW_UNIFIED_MULTIWORKER}=1"
            " if that is what you want"
        )
        raise StartupError(msg, remedy=remedy)


def uvicorn_workers() -> int:
    """Return how many workers the Uvicorn around this process runs; 1 when it cannot be told.

    Uvicorn hands its configuration to each worker as an argument of the process object
    (uvicorn/_subprocess.py); there is no public way to ask.
    """
    config = getattr(multiprocessing.current_process(), "_kwargs", {}).get("config")
    if getattr(config, "reload", False):  # which runs one, whatever is set
        return 1
    return int(getattr(config, "workers", 1))


def locate(app: object) -> str | None:
    """Find out where an object can be imported, for the worker that is to import it too.

    Returns:
        ``module:attribute`` of the first imported module that has it, ``file.py:attribute`` if
        only the main script does, else None.
    """
    script = None
    for name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is app and name in {"__main__", "__mp_main__"}:
                file = getattr(module, "__file__", None)
                script = f"{file}:{attribute}" if file else None
            elif value is app:
                return f"{name}:{attribute}"
    return script

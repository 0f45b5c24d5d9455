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
from functools import partial
from pathlib import Path
from typing import Final

from fluxlit import _env
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.config import FluxlitSettings
from fluxlit.config.project import DEFAULT_TARGET
from fluxlit.exceptions import StartupError
from fluxlit.fleet import Fleet
from fluxlit.unified import State
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.board import State as BoardState
from fluxlit.workers.care import Caretaker, Limits
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.events import WorkerEvents
from fluxlit.workers.pool import WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import RunDirectory, api_socket, base_directory
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit")

STOP_GRACE: Final = 5.0
"""Seconds that a UI worker has to end after the last request was served."""

PATIENT: Final = Backoff(delays=(0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0), attempts=None)
"""The API stays although a UI worker keeps dying, and readiness says so: try for ever."""


def spec_beside(app: object, said: str | None, *, development: bool) -> WorkerSpec:
    """Return what a UI worker is told that serves beside this process.

    Args:
        app: The app object, which the worker is to import too.
        said: Where it can be imported, if that was said.
        development: Follow edits, show errors.
    """
    known = said or os.environ.get(_env.APP, "").strip() or locate(app)
    return WorkerSpec(
        target=known or DEFAULT_TARGET,
        run_directory="",
        development=development,
        reload=development,
        search_path=[entry or str(Path.cwd()) for entry in sys.path],
        cookie_secret=secrets.token_hex(32),
    )


class Sidecar:
    """The UI workers of an app that a foreign server runs: ``uvicorn app:app``.

    Args:
        spec: What each UI worker is told; the run directory is filled in here.
        settings: How many there are to be, and what each may cost.
        fleet: Joins the service as soon as there is a run directory.
        private: The app that pages reach over the private socket.
    """

    def __init__(
        self, spec: WorkerSpec, settings: FluxlitSettings, fleet: Fleet, private: ASGIApp
    ) -> None:
        self._spec = spec
        self._workers = settings.effective_ui_workers()
        self._limits = Limits.of_ui(settings, development=spec.development)
        self._fleet = fleet
        self._private = private

    @contextlib.asynccontextmanager
    async def __call__(self, state: State) -> AsyncIterator[None]:
        """Start the UI workers and the private socket; stop both at the end.

        Args:
            state: What the API's lifespan yields, once it has; for requests on the private socket.
        """
        from fluxlit.workers.private import private_server  # noqa: PLC0415 - brings Uvicorn

        refuse_several_workers()
        with RunDirectory(base_directory(os.environ)) as directory:
            spec = self._spec.in_directory(directory.path)
            board = found_board(directory.path)
            own = board.claim(WorkerKind.GATEWAY, 0)
            self._fleet.join(directory.path, own.index)

            async def launch_ui(slot: int) -> WorkerProcess:
                return await launch(enlist(board, Child(WorkerKind.UI), spec, slot))

            count = partial(WorkerEvents(directory.path).count, WorkerKind.UI)
            pool = WorkerPool(self._workers, launch_ui, backoff=PATIENT, note=count)
            caretaker = Caretaker(board, WorkerKind.UI, pool, self._limits, STOP_GRACE)
            private = WithState(self._private, state)
            async with private_server(private, api_socket(directory.path)):
                await pool.start()
                own.enter(BoardState.READY)
                board.enter(BoardState.READY)
                jobs = (pool.keep(), caretaker.run(), Pulse(own.row).run())
                keepers = [asyncio.create_task(job) for job in jobs]
                try:
                    yield
                finally:
                    board.enter(BoardState.DRAINING)
                    for keeper in keepers:
                        keeper.cancel()
                    await pool.stop(STOP_GRACE)


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

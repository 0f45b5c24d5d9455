"""The UI beside a server that FluxLit did not start: ``uvicorn app:app``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, Final

from fluxlit import _env
from fluxlit._secrets import derived
from fluxlit._types import ASGIApp, Receive, Scope, Send
from fluxlit.assembly import resources
from fluxlit.config import FluxlitSettings
from fluxlit.config.project import DEFAULT_TARGET
from fluxlit.exceptions import StartupError
from fluxlit.fleet import Fleet
from fluxlit.unified import State
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.board import Board
from fluxlit.workers.board import State as BoardState
from fluxlit.workers.care import Caretaker, Limits
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.events import WorkerEvents
from fluxlit.workers.guard import Guarded
from fluxlit.workers.pool import WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.rundir import RunDirectory, base_directory
from fluxlit.workers.sockets import bind_private
from fluxlit.workers.spec import WorkerSpec
from fluxlit.workers.ui_plan import UIPlan

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
        development: Watch files, show errors.
    """
    known = said or os.environ.get(_env.APP, "").strip() or locate(app)
    return WorkerSpec(
        target=known or DEFAULT_TARGET,
        run_directory="",
        development=development,
        search_path=[entry or str(Path.cwd()) for entry in sys.path],
        cookie_secret=secrets.token_hex(32),
    )


class Standalone:
    """What an app needs besides itself that a foreign server runs: ``uvicorn app:app``.

    That is a run directory, a private door for pages, and the UI.

    Args:
        plan: What the UI is told; the run directory is filled in here.
        fleet: Joins the service as soon as there is a run directory.
        private: The app that pages reach by the private door.
    """

    def __init__(self, plan: UIPlan, fleet: Fleet, private: ASGIApp) -> None:
        self._plan = plan
        self._fleet = fleet
        self._private = private

    @contextlib.asynccontextmanager
    async def __call__(self, state: State) -> AsyncIterator[None]:
        """Start the UI and open the private door; end both at the end.

        Args:
            state: What the API's lifespan yields, once it has; for requests at the private door.
        """
        from fluxlit.workers.private import private_server  # noqa: PLC0415 - brings Uvicorn

        refuse_several_workers(self._plan.settings)
        bound_shutdown(self._plan.settings)
        with RunDirectory(base_directory(os.environ)) as directory:
            board = found_board(directory.path)
            own = board.claim(WorkerKind.GATEWAY, 0)
            self._fleet.join(directory.path, own.index)
            spec = self._plan.spec.in_directory(directory.path)
            plan = replace(
                self._plan, spec=spec.for_place(0, generation=own.generation, row=own.index)
            )
            door = self._door(WithState(self._private, state), directory.path)
            async with private_server(*door), self._ui(plan, board):
                own.enter(BoardState.READY)
                board.enter(BoardState.READY)
                try:
                    yield
                finally:
                    board.enter(BoardState.DRAINING)
        end_in_order()

    def _door(self, app: ASGIApp, directory: Path) -> tuple[ASGIApp, socket.socket]:
        """Open the private door; return what serves it and the socket."""
        if self._plan.settings.uses_unix_sockets():
            return app, bind_private(directory, "")
        key = derived(self._fleet.secret, "door")
        return Guarded(app, key), bind_private(directory, key)

    @contextlib.asynccontextmanager
    async def _ui(self, plan: UIPlan, board: Board) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if plan.settings.ui_mode == "sidecar":
                await stack.enter_async_context(_workers(plan, board))
            if plan.settings.ui_mode != "embedded":  # else the UI tells of this process
                pulse = Pulse(board.row(plan.spec.row))
                await stack.enter_async_context(_meanwhile(pulse.run()))
            for resource in resources(self._fleet, plan):
                await stack.enter_async_context(resource({}))
            yield


@contextlib.asynccontextmanager
async def _workers(plan: UIPlan, board: Board) -> AsyncIterator[None]:
    """Keep UI workers alive for as long as the block lasts."""
    spec, settings = plan.spec, plan.settings

    async def launch_ui(slot: int) -> WorkerProcess:
        return await launch(enlist(board, Child(WorkerKind.UI), spec, slot))

    count = partial(WorkerEvents(Path(spec.run_directory)).count, WorkerKind.UI)
    pool = WorkerPool(settings.effective_ui_workers(), launch_ui, backoff=PATIENT, note=count)
    limits = Limits.of_ui(settings, development=spec.development)
    caretaker = Caretaker(board, WorkerKind.UI, pool, limits, STOP_GRACE)
    await pool.start()
    try:
        async with _meanwhile(pool.keep(), caretaker.run()):
            yield
    finally:
        await pool.stop(STOP_GRACE)


@contextlib.asynccontextmanager
async def _meanwhile(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run some things for as long as the block lasts."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


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


def refuse_several_workers(settings: FluxlitSettings) -> None:
    """Refuse to run as one of several Uvicorn workers, each of which would run a UI of its own.

    Where the UI is elsewhere they may be several, if they agree on the visitors' cookies.

    Raises:
        StartupError: This process is one of several.
    """
    if settings.ui_mode == "remote" and settings.ui_secret.get_secret_value():
        return
    workers = uvicorn_workers()
    if workers > 1 and not _env.is_truthy(os.environ.get(_env.ALLOW_UNIFIED_MULTIWORKER)):
        msg = f"uvicorn --workers {workers} would start {workers} UIs that do not know each other"
        remedy = (
            f"use `fluxlit run --workers {workers}`, or set {_env.ALLOW_UNIFIED_MULTIWORKER}=1"
            " if that is what you want"
        )
        raise StartupError(msg, remedy=remedy)


def bound_shutdown(settings: FluxlitSettings) -> None:
    """Have the Uvicorn around this process wait for requests as long as the settings say.

    By itself it waits for ever, for a stream that has no end too. What its command line says
    counts more.
    """
    grace = settings.uvicorn_graceful_shutdown_timeout_s
    config: Any = getattr(_server_around(), "config", None)
    if grace is not None and getattr(config, "timeout_graceful_shutdown", 0) is None:
        config.timeout_graceful_shutdown = ceil(grace)


def end_in_order() -> None:
    """Have the Uvicorn around this process end with status 0, as a service does that was stopped.

    It would send itself once more the signals that it has caught, and end as if it was killed.
    """
    caught = getattr(_server_around(), "_captured_signals", None)
    if isinstance(caught, list):
        caught.clear()


def _server_around() -> object:
    """Find the Uvicorn server of this process, by its method that takes the signals.

    See ``Server.capture_signals`` in uvicorn/server.py; there is no public way.
    """
    return getattr(signal.getsignal(signal.SIGTERM), "__self__", None)


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

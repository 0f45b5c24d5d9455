"""The parent of a service: owns the public socket, the signals, the pid file and the workers.

It imports neither Streamlit nor the user's code, so nothing that these do can hang or break it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from fluxlit._types import JsonValue
from fluxlit.exceptions import StartupError
from fluxlit.logging import configure_logging
from fluxlit.runtime.banner import Address, Crew, banner, progress, workbench_hints
from fluxlit.runtime.pidfile import PidFile
from fluxlit.runtime.rolling import Part, roll
from fluxlit.runtime.signals import SignalInbox
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.board import Board
from fluxlit.workers.care import Caretaker, Limits
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.events import Reason, WorkerEvents
from fluxlit.workers.pool import WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.rundir import RunDirectory, api_socket, base_directory
from fluxlit.workers.sockets import bind_tcp, bind_unix
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit.runtime")

Coro = Coroutine[Any, Any, None]
Prepare = Callable[[WorkerProcess], Awaitable[None]]
_T = TypeVar("_T")

UI_GRACE: Final = 5.0
"""Seconds that UI workers have to end once the gateway has drained."""

PROGRESS_SECONDS: Final = 2.0
"""Seconds of a start after which a person wants to hear how far it is, and again when it is
further."""

MARGIN: Final = 3.0
"""Seconds that a gateway worker has beyond its own grace to end."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What ``fluxlit run`` was told.

    Attributes:
        target: Where the app is, in full.
        development: Started by ``fluxlit dev``.
        overrides: Settings from the command line, by name.
        workers: How many gateway workers share the public socket.
        pidfile: Where to put the pid file; None for none.
        workbench: Behind Posit Workbench or Connect: tell how to get there.
    """

    target: str
    development: bool = False
    workers: int = 1
    overrides: dict[str, JsonValue] = field(default_factory=dict)
    pidfile: Path | None = None
    workbench: bool = False


class Supervisor:
    """Runs one service from start to end.

    Args:
        options: What to run.
        announce: Told in words that the service is ready, and how far a slow start has come.
        backoff: The policy for workers that keep dying.
    """

    def __init__(
        self,
        options: RunOptions,
        announce: Callable[[str], None],
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self._options = options
        self._announce = announce
        self._signals = SignalInbox()
        self._public: socket.socket | None = None
        self._private: socket.socket | None = None
        self._board: Board | None = None
        self._events: WorkerEvents | None = None
        self._address: Address | None = None
        self._loaded = asyncio.Event()
        self._spec = WorkerSpec(
            target=options.target,
            run_directory="",
            development=options.development,
            workers=options.workers,
            overrides=options.overrides,
            cookie_secret=secrets.token_hex(32),
        )
        self._gateways = self._pool(WorkerKind.GATEWAY, options.workers, self._hand_over, backoff)
        self._uis = self._pool(WorkerKind.UI, 1, None, backoff)

    async def run(self) -> None:
        """Run until a signal asks to end.

        Raises:
            StartupError: The service did not start, or its workers keep dying.
        """
        with ExitStack() as stack:
            stack.enter_context(self._signals.open())
            if self._options.pidfile is not None:
                stack.enter_context(PidFile(self._options.pidfile))
            directory = stack.enter_context(RunDirectory(base_directory(os.environ)))
            self._spec = self._spec.in_directory(directory.path)
            self._board = found_board(directory.path)
            self._events = WorkerEvents(directory.path)
            self._private = stack.enter_context(bind_unix(api_socket(directory.path)))
            try:
                await self._serve()
            finally:
                await self._drain()
                if self._public is not None:
                    self._public.close()

    async def _serve(self) -> None:
        """Start, announce, and keep the workers alive until the first signal."""
        started = time.monotonic()
        telling = asyncio.ensure_future(self._tell_progress(started))
        try:
            if not await self._until_signal(self._start()):
                return
        finally:
            telling.cancel()
        if self._address is not None:
            took = time.monotonic() - started
            self._announce(banner(self._address, took, self._wanted))
            if self._options.workbench:
                self._announce(workbench_hints(self._address, os.environ))
        await self._until_signal(self._keep())

    async def _tell_progress(self, started: float) -> None:
        told = None
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            ready = Crew(len(self._gateways.workers), len(self._uis.workers))
            if told != (ready, self._wanted):
                told = (ready, self._wanted)
                self._announce(progress(*told, time.monotonic() - started))

    @property
    def _wanted(self) -> Crew:
        return Crew(self._gateways.size, self._uis.size)

    async def _start(self) -> None:
        # Who takes longer goes first.
        await _all(self._uis.start(), self._gateways.start(), self._more_uis())

    async def _more_uis(self) -> None:
        """Start the UI workers beyond the first as soon as the app has said how many it wants."""
        await self._loaded.wait()
        if self._address is not None:
            await self._uis.grow(self._address.ui_workers)

    async def _keep(self) -> None:
        caretakers = self._caretakers()
        jobs = (self._gateways.keep(), self._uis.keep(), self._reload_when_asked())
        await _all(*jobs, *(caretaker.run() for caretaker in caretakers))

    def _caretakers(self) -> list[Caretaker]:
        if self._board is None or self._address is None:
            return []
        gateway, ui = Limits(**self._address.gateway_limits), Limits(**self._address.ui_limits)
        return [
            Caretaker(self._board, WorkerKind.GATEWAY, self._gateways, gateway, self._grace),
            Caretaker(self._board, WorkerKind.UI, self._uis, ui, UI_GRACE),
        ]

    async def _reload_when_asked(self) -> None:
        while True:
            await self._signals.reload.wait()
            self._signals.reload.clear()
            await self._reload()

    async def _reload(self) -> None:
        """Load the code anew, in new workers; if it does not start, the old ones serve on."""
        _LOG.info("loading the code anew")
        started = time.monotonic()
        try:
            await roll([Part(self._uis, UI_GRACE), Part(self._gateways, self._grace)])
        except StartupError as exc:
            _LOG.error("the new version did not start, the old one serves on: %s", exc)
        else:
            _LOG.info("the new version serves, after %.1f s", time.monotonic() - started)

    async def _until_signal(self, work: Coro) -> bool:
        """Do something until it is done or a signal comes; tell whether it was done."""
        doing = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self._signals.ends.get())
        await asyncio.wait({doing, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            await doing
            return True
        _LOG.info("%s: stopping", asked.result().name)
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        return False

    async def _drain(self) -> None:
        """End the workers in order: first who takes requests, then who answers them."""
        orderly = asyncio.ensure_future(self._stop(self._grace, UI_GRACE))
        again = asyncio.ensure_future(self._signals.ends.get())
        await asyncio.wait({orderly, again}, return_when=asyncio.FIRST_COMPLETED)
        again.cancel()
        if not orderly.done():
            _LOG.warning("asked again: ending now")
            orderly.cancel()
            await asyncio.wait({orderly})
            self._gateways.kill()
            self._uis.kill()
            await self._stop(0.0, 0.0)
        else:
            await orderly

    async def _stop(self, gateway_grace: float, ui_grace: float) -> None:
        await self._gateways.stop(gateway_grace)
        await self._uis.stop(ui_grace)

    @property
    def _grace(self) -> float:
        """Seconds that a gateway worker has to end."""
        return MARGIN + (self._address.grace if self._address else 0.0)

    def _pool(
        self, kind: WorkerKind, size: int, prepare: Prepare | None, backoff: Backoff | None
    ) -> WorkerPool:
        async def start(slot: int) -> WorkerProcess:
            return await launch(enlist(_had(self._board), Child(kind), self._spec, slot), prepare)

        def note(reason: Reason) -> None:
            _had(self._events).count(kind, reason)

        return WorkerPool(size, start, backoff=backoff, note=note)

    async def _hand_over(self, worker: WorkerProcess) -> None:
        """Hear where the app wants to listen, listen there, and hand the sockets over.

        Only the worker knows the app's settings. The first one decides; the socket then outlives
        all workers, so that none of them ever refuses a connection by being replaced.
        """
        loaded = Address.from_message(await worker.expect("loaded"))
        if self._address is not None:
            self._tell_what_takes_a_restart(self._address, loaded)
        if self._public is None:
            self._public = bind_tcp(loaded.host, loaded.port)
            self._address = loaded.bound_to(self._public)
            self._loaded.set()
            configure_logging(loaded.log_level)
        sockets = [sock for sock in (self._public, self._private) if sock is not None]
        worker.tell({"event": "serve"}, sockets)

    @staticmethod
    def _tell_what_takes_a_restart(now: Address, wanted: Address) -> None:
        changed = wanted.fixed_since(now)
        if changed:
            _LOG.warning("changed, but only a restart applies it: %s", ", ".join(changed))


def _had(thing: _T | None) -> _T:
    """Return what there is as soon as there is a run directory."""
    if thing is None:
        msg = "there is no run directory yet"
        raise RuntimeError(msg)
    return thing


async def _all(*jobs: Coro) -> None:
    """Run several things; if one fails, end the others and raise the failure."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except* StartupError as failures:
        raise failures.exceptions[0] from None

"""The parent of a service: owns the public socket, the signals, the pid file and the workers.

It imports neither Streamlit nor the user's code, so nothing that these do can hang or break it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fluxlit._signals import asking_signals
from fluxlit._types import JsonValue
from fluxlit.exceptions import StartupError
from fluxlit.logging import configure_logging
from fluxlit.runtime.banner import Address, Crew, banner, progress, workbench_hints
from fluxlit.runtime.pidfile import PidFile
from fluxlit.workers.board import Board
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.pool import Backoff, WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.rundir import RunDirectory, base_directory
from fluxlit.workers.sockets import bind_private, bind_tcp
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit.runtime")

Coro = Coroutine[Any, Any, None]

UI_GRACE: Final = 5.0
"""Seconds that UI workers have to end once the gateway has drained."""

ECHO: Final = 0.3
"""Seconds in which the same signal once more is not asking again."""

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
        self._signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
        self._heard: dict[signal.Signals, float] = {}
        self._public: socket.socket | None = None
        self._private: socket.socket | None = None
        self._board: Board | None = None
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
        self._gateways = WorkerPool(options.workers, self._launch_gateway, backoff=backoff)
        self._uis = WorkerPool(1, self._launch_ui, backoff=backoff)

    async def run(self) -> None:
        """Run until a signal asks to end.

        Raises:
            StartupError: The service did not start, or its workers keep dying.
        """
        with ExitStack() as stack:
            stack.enter_context(_signals_to(self._hear))
            if self._options.pidfile is not None:
                stack.enter_context(PidFile(self._options.pidfile))
            directory = stack.enter_context(RunDirectory(base_directory(os.environ)))
            self._spec = self._spec.in_directory(directory.path)
            self._board = found_board(directory.path)
            try:
                await self._serve()
            finally:
                await self._drain()
                for sock in (self._public, self._private):
                    if sock is not None:
                        sock.close()

    def _hear(self, number: signal.Signals) -> None:
        """Queue a signal, but not its echo.

        ``timeout``, ``uv run`` and others signal their child, and the terminal or the group does
        so too: one asking, which must not cut off the requests in flight.
        """
        now = time.monotonic()
        if now - self._heard.get(number, -ECHO) >= ECHO:
            self._heard[number] = now
            self._signals.put_nowait(number)

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
        await _all(self._start_uis(), self._gateways.start())

    async def _start_uis(self) -> None:
        """Start a UI worker at once, and as many as the app wants as soon as it has said so."""
        first = asyncio.ensure_future(self._uis.start())
        said = asyncio.ensure_future(self._loaded.wait())
        try:
            await asyncio.wait({first, said}, return_when=asyncio.FIRST_COMPLETED)
            if not said.done():
                await first  # raises what went wrong
            await said
            if self._address is not None and self._address.ui_workers:
                await _all(_done(first), self._uis.grow(self._address.ui_workers))
        finally:
            said.cancel()
            first.cancel()
            await asyncio.wait({first})
        if self._address is not None and not self._address.ui_workers:
            await self._uis.stop(0.0)
            self._uis = WorkerPool(0, self._launch_ui)

    async def _keep(self) -> None:
        await _all(self._gateways.keep(), self._uis.keep())

    async def _until_signal(self, work: Coro) -> bool:
        """Do something until it is done or a signal comes; tell whether it was done."""
        doing = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self._signals.get())
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
        grace = self._address.grace if self._address else 0.0
        orderly = asyncio.ensure_future(self._stop(grace + MARGIN, UI_GRACE))
        again = asyncio.ensure_future(self._signals.get())
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

    async def _launch_gateway(self, slot: int) -> WorkerProcess:
        return await launch(self._enlist(WorkerKind.GATEWAY, slot), self._hand_over)

    async def _launch_ui(self, slot: int) -> WorkerProcess:
        return await launch(self._enlist(WorkerKind.UI, slot))

    def _enlist(self, kind: WorkerKind, slot: int) -> WorkerProcess:
        if self._board is None:
            msg = "there is no board before there is a run directory"
            raise RuntimeError(msg)
        return enlist(self._board, kind, self._spec, slot)

    async def _hand_over(self, worker: WorkerProcess) -> None:
        """Hear where the app wants to listen, listen there, and hand the sockets over.

        Only the worker knows the app's settings. The first one decides; the socket then outlives
        all workers, so that none of them ever refuses a connection by being replaced.
        """
        loaded = Address.from_message(await worker.expect("loaded"))
        if self._public is None:
            self._public = bind_tcp(loaded.host, loaded.port)
            self._private = bind_private(self._spec.run_directory, loaded.door_key)
            self._address = loaded.bound_to(self._public)
            self._loaded.set()
            configure_logging(loaded.log_level)
        sockets = [sock for sock in (self._public, self._private) if sock is not None]
        worker.tell({"event": "serve"}, sockets)


@contextmanager
def _signals_to(take: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Hand the signals that ask for an end to the loop; afterwards nothing is left to ask for."""
    loop = asyncio.get_running_loop()
    asking = asking_signals()
    for number in asking:
        loop.add_signal_handler(number, take, number)
    try:
        yield
    finally:
        for number in asking:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)


async def _done(work: asyncio.Future[None]) -> None:
    await work


async def _all(*jobs: Coro) -> None:
    """Run several things; if one fails, end the others and raise the failure."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except* StartupError as failures:
        raise failures.exceptions[0] from None

"""All workers of a service: a pool of each kind, the board that tells of them, a spare one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fluxlit._tasks import Coro, all_of
from fluxlit.runtime.banner import Address, Crew
from fluxlit.runtime.rolling import Part, roll
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.board import Board, State
from fluxlit.workers.care import Caretaker, Limits
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.events import Reason, WorkerEvents
from fluxlit.workers.pool import Launch, WorkerPool
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.spare import Spare
from fluxlit.workers.spec import WorkerSpec

HandOver = Callable[[WorkerProcess], Awaitable[Address]]
"""Hands the service's sockets to a worker that has loaded the app; returns what it says."""

UI_GRACE: Final = 5.0
"""Seconds that UI workers have to end."""

MARGIN: Final = 3.0
"""Seconds that a gateway worker has beyond its own grace to end."""


class Workforce:
    """The workers of one service.

    Args:
        directory: The run directory.
        spec: What every worker is told.
        crew: How many of each kind there are to be at first.
        hand_over: Hands the service's sockets to a starting gateway worker, or to a UI worker
            where there are no gateways.
        backoff: The policy for workers that keep dying.
        ahead: The process of the first UI worker, if there is one already.
    """

    def __init__(
        self,
        directory: Path,
        spec: WorkerSpec,
        crew: Crew,
        hand_over: HandOver,
        backoff: Backoff | None = None,
        ahead: Child | None = None,
    ) -> None:
        self._spec = spec.in_directory(directory)
        self._board: Board = found_board(directory)
        self._events = WorkerEvents(directory)
        self._hand_over = hand_over
        self._backoff = backoff
        self._gateway_grace = MARGIN
        self.spare = Spare(WorkerKind.GATEWAY)
        self._ahead = Spare(WorkerKind.UI, ahead)
        self._gateways = self._pool(WorkerKind.GATEWAY, crew.gateways, self._launch_gateway)
        self._uis = self._pool(WorkerKind.UI, crew.uis, self._launch_ui)

    @property
    def ready(self) -> Crew:
        """How many of each kind are in service."""
        return Crew(len(self._gateways.workers), len(self._uis.workers))

    @property
    def wanted(self) -> Crew:
        """How many of each kind there are to be."""
        return Crew(self._gateways.size, self._uis.size)

    @property
    def names(self) -> list[str]:
        """What those in service are called."""
        return [worker.name for worker in (*self._gateways.workers, *self._uis.workers)]

    async def start(self, uis: Awaitable[int]) -> None:
        """Start all, and wait until they are ready.

        Args:
            uis: How many UI workers there are to be, once that is known.

        Raises:
            StartupError: One did not start.
        """
        if not self._uis.size:
            await self._ahead.close()
        # Who takes longer goes first.
        await all_of(self._uis.start_for(uis), self._gateways.start())
        self._board.enter(State.READY)

    async def keep(self, address: Address, *, reserve: bool) -> None:
        """Replace who dies or exceeds its limits, until cancelled.

        Args:
            address: What the app has said of its workers.
            reserve: Whether a process is to wait that can become a gateway worker at once.

        Raises:
            StartupError: One kept dying.
        """
        jobs: list[Coro] = [self._gateways.keep(), self._uis.keep()]
        jobs += [caretaker.run() for caretaker in self._caretakers(address)]
        if reserve:
            jobs.append(self.spare.keep())
        await all_of(*jobs)

    async def renew(self, reason: Reason, *, uis: bool = True) -> None:
        """Replace all by new ones that load the code anew; the UI's too unless told otherwise.

        Raises:
            StartupError: The new ones did not start; see :func:`~fluxlit.runtime.rolling.roll`.
        """
        parts = [Part(self._uis, UI_GRACE)] if uis else []
        parts.append(Part(self._gateways, self._gateway_grace))
        await roll([part for part in parts if part.pool.size], reason)

    async def stop(self) -> None:
        """End all in order: first who takes requests, then who answers them."""
        self._board.enter(State.DRAINING)
        await self.spare.close()
        await self._ahead.close()
        await self._gateways.stop(self._gateway_grace)
        await self._uis.stop(UI_GRACE)

    async def kill(self) -> None:
        """End all now, and wait until they are gone."""
        self._gateways.kill()
        self._uis.kill()
        await self._gateways.stop(0.0)
        await self._uis.stop(0.0)

    def _caretakers(self, address: Address) -> list[Caretaker]:
        gateway, ui = Limits(**address.gateway_limits), Limits(**address.ui_limits)
        grace = self._gateway_grace
        return [
            Caretaker(self._board, WorkerKind.GATEWAY, self._gateways, gateway, grace),
            Caretaker(self._board, WorkerKind.UI, self._uis, ui, UI_GRACE),
        ]

    def _pool(self, kind: WorkerKind, size: int, launch_one: Launch) -> WorkerPool:
        def note(reason: Reason) -> None:
            self._events.count(kind, reason)

        return WorkerPool(size, launch_one, backoff=self._backoff, note=note)

    async def _launch_ui(self, slot: int) -> WorkerProcess:
        worker = enlist(self._board, self._ahead.take(), self._spec, slot)
        return await launch(worker, self._introduce if self._spec.alone else None)

    async def _launch_gateway(self, slot: int) -> WorkerProcess:
        worker = enlist(self._board, self.spare.take(), self._spec, slot)
        return await launch(worker, self._introduce)

    async def _introduce(self, worker: WorkerProcess) -> None:
        address = await self._hand_over(worker)
        self._gateway_grace = address.grace + MARGIN
        self.spare.learn(address.modules)

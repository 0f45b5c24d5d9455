"""Keep N workers of a kind alive: start them, replace the dead, back off, give up, stop them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fluxlit.exceptions import StartupError

_LOG: Final = logging.getLogger("fluxlit.workers")


class Worker(Protocol):
    """What a pool needs of a worker; :class:`~fluxlit.workers.process.WorkerProcess` is one."""

    name: str

    @property
    def pid(self) -> int:
        """Its process id."""

    async def wait(self) -> int:
        """Wait until it is gone; return its exit status."""

    async def stop(self, grace: float) -> None:
        """Ask it to end; end it after *grace* seconds."""

    def kill(self) -> None:
        """End it now."""


Launch = Callable[[int], Awaitable[Worker]]
"""Start the worker of one slot and wait until it is ready; raise StartupError if it cannot."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to try again, and when to stop trying.

    Attributes:
        delays: Seconds before the first, second, … attempt in a row; the last one repeats.
        attempts: Deaths in a row after which the service gives up.
        settled_after: Seconds of life after which a death no longer counts as "in a row".
    """

    delays: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    attempts: int = 8
    settled_after: float = 30.0

    def delay(self, deaths: int) -> float:
        """Return the seconds to wait after so many deaths in a row (1 or more)."""
        return self.delays[min(deaths, len(self.delays)) - 1]


class WorkerPool:
    """The workers of one kind.

    Args:
        size: How many.
        launch: Makes a ready worker for a slot; called again for each replacement.
        backoff: The policy for workers that keep dying.
        clock: Seconds, monotonic.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        size: int,
        launch: Launch,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._size = size
        self._launch = launch
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._sleep = sleep
        self._workers: dict[int, Worker] = {}

    @property
    def workers(self) -> list[Worker]:
        """The workers that were ready when they were last heard of, by slot."""
        return [self._workers[slot] for slot in sorted(self._workers)]

    @property
    def size(self) -> int:
        """How many workers there are to be."""
        return self._size

    async def start(self) -> None:
        """Start all workers and wait until they are ready.

        Raises:
            StartupError: One could not start; the others were stopped again.
        """
        await self._fill_all(range(self._size))

    async def grow(self, size: int) -> None:
        """Start more workers, also while the first ones start, and wait until they are ready.

        Args:
            size: How many there are to be in all; fewer than there are changes nothing.

        Raises:
            StartupError: One could not start; all others were stopped again.
        """
        first, self._size = self._size, max(self._size, size)
        await self._fill_all(range(first, self._size))

    async def _fill_all(self, slots: range) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for slot in slots:
                    group.create_task(self._fill(slot))
        except* StartupError as failures:
            await self.stop(grace=0.0)
            raise failures.exceptions[0] from None

    async def keep(self) -> None:
        """Replace every worker that dies, until cancelled.

        Raises:
            StartupError: A worker died too often in a row.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for slot in range(self._size):
                    group.create_task(self._keep_slot(slot))
        except* StartupError as failures:
            raise failures.exceptions[0] from None

    async def stop(self, grace: float) -> None:
        """Stop all workers, at once.

        Args:
            grace: Seconds between asking and ending.
        """
        await asyncio.gather(*(worker.stop(grace) for worker in self.workers))
        self._workers.clear()

    def kill(self) -> None:
        """End all workers now."""
        for worker in self.workers:
            worker.kill()

    async def _fill(self, slot: int) -> None:
        self._workers[slot] = await self._launch(slot)

    async def _keep_slot(self, slot: int) -> None:
        deaths = 0
        while True:
            born = self._clock()
            status = await self._workers[slot].wait()
            lived = self._clock() - born
            deaths = 1 if lived > self._backoff.settled_after else deaths + 1
            _LOG.error("%s ended unexpectedly (%s)", self._workers[slot].name, _how(status))
            deaths = await self._revive(slot, deaths)

    async def _revive(self, slot: int, deaths: int) -> int:
        while deaths < self._backoff.attempts:
            await self._sleep(self._backoff.delay(deaths))
            try:
                await self._fill(slot)
            except StartupError as exc:
                deaths += 1
                _LOG.error("worker %d did not start again: %s", slot, exc)
            else:
                worker = self._workers[slot]
                _LOG.warning("%s is ready again, pid %d", worker.name, worker.pid)
                return deaths
        msg = f"{self._workers[slot].name} died {deaths} times in a row"
        raise StartupError(msg, remedy="see its output above for the cause")


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"

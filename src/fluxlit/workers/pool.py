"""Keep N workers of a kind alive: start, replace, revive with back-off, give up, stop.

One that lives is replaced by one that is ready before it goes; one that has died, at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from fluxlit._tasks import all_of
from fluxlit.exceptions import StartupError
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.events import Reason

_LOG: Final = logging.getLogger("fluxlit.workers")


class Worker(Protocol):
    """What a pool needs of a worker; :class:`~fluxlit.workers.process.WorkerProcess` is one."""

    name: str

    @property
    def pid(self) -> int:
        """Its process id."""

    def admit(self) -> None:
        """Put it into service."""

    async def wait(self) -> int:
        """Wait until it is gone; return its exit status."""

    async def stop(self, grace: float) -> None:
        """Ask it to end; end it after *grace* seconds."""

    async def closed(self) -> None:
        """Wait until it accepts nobody any more."""

    async def abandon(self) -> None:
        """End it before it got into service."""

    def kill(self) -> None:
        """End it now."""


CLOSED_WITHIN: Final = 5.0
"""Seconds that a replaced worker has to close its doors; they take a few tenths."""

Launch = Callable[[int], Awaitable[Worker]]
"""Start the worker of one slot and wait until it is ready; raise StartupError if it cannot."""


@dataclass(slots=True)
class _Slot:
    """A place for one worker, and who has it."""

    number: int
    worker: Worker | None = None
    since: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    launching: asyncio.Lock = field(default_factory=asyncio.Lock)


class WorkerPool:
    """The workers of one kind.

    Args:
        size: How many.
        launch: Makes a ready worker for a slot; called again for each replacement.
        backoff: The policy for workers that keep dying.
        note: Told why a worker is replaced.
        clock: Seconds, monotonic.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        size: int,
        launch: Launch,
        *,
        backoff: Backoff | None = None,
        note: Callable[[Reason], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._launch = launch
        self._backoff = backoff or Backoff()
        self._note = note
        self._clock = clock
        self._sleep = sleep
        self._slots = [_Slot(number) for number in range(size)]
        self._retiring: dict[Worker, asyncio.Task[None]] = {}

    @property
    def workers(self) -> list[Worker]:
        """The workers in service when they were last heard of, by slot."""
        return [slot.worker for slot in self._slots if slot.worker is not None]

    @property
    def size(self) -> int:
        """How many workers there are to be."""
        return len(self._slots)

    async def start(self) -> None:
        """Start all workers and wait until they are ready.

        Raises:
            StartupError: One could not start; the others were stopped again.
        """
        await self._fill_all(self._slots[:])

    async def start_for(self, wanted: Awaitable[int]) -> None:
        """Start the workers at once, and as many as are wanted as soon as that is known.

        Args:
            wanted: Tells how many there are to be in all; if none, those that there are end.

        Raises:
            StartupError: One could not start; all others were stopped again.
        """
        first, known = asyncio.ensure_future(self.start()), asyncio.ensure_future(wanted)
        try:
            await asyncio.wait({first, known}, return_when=asyncio.FIRST_COMPLETED)
            if not known.done():
                first.result()  # raises why it could not
            size = await known
            if size:
                await asyncio.gather(first, self.grow(size))
        finally:
            known.cancel()
            first.cancel()
            await asyncio.wait({first, known})
        if not size:
            await self.stop(grace=0.0)
            self._slots.clear()

    async def grow(self, size: int) -> None:
        """Start more workers, also while the first ones start, and wait until they are ready.

        Args:
            size: How many there are to be in all; fewer than there are changes nothing.

        Raises:
            StartupError: One could not start; all others were stopped again.
        """
        more = [_Slot(number) for number in range(len(self._slots), size)]
        self._slots += more
        await self._fill_all(more)

    async def keep(self) -> None:
        """Replace every worker that dies, until cancelled.

        Raises:
            StartupError: A worker died too often in a row.
        """
        await all_of(*(self._keep_slot(slot) for slot in self._slots))

    async def replace(self, number: int, reason: Reason, grace: float) -> None:
        """Replace the worker of a slot by one that is ready before it goes.

        Args:
            number: The slot.
            reason: Why.
            grace: Seconds that the old one has to end.

        Raises:
            StartupError: The new one did not start; the old one serves on.
        """
        async with self.successor(number, reason, grace):
            pass

    @asynccontextmanager
    async def successor(self, number: int, reason: Reason, grace: float) -> AsyncIterator[Worker]:
        """Have a ready successor in the block; it gets into service if the block succeeds.

        Args:
            number: The slot.
            reason: Why.
            grace: Seconds that the old worker has to end, once the new one is in service.

        Raises:
            StartupError: The successor did not start.
        """
        slot = self._slots[number]
        async with slot.launching:
            try:
                worker = await self._launch(number)
            except StartupError:
                self._note(Reason.NOT_STARTED)
                raise
            try:
                yield worker
            except BaseException:
                await asyncio.shield(worker.abandon())
                raise
            old = slot.worker
            self._install(slot, worker)
            self._note(reason)
            if old is not None:
                told = (worker.name, reason.label, worker.pid, old.pid)
                level = logging.DEBUG if reason is Reason.EDITED else logging.INFO
                _LOG.log(level, "%s is replaced (%s): pid %d serves, pid %d drains", *told)
                self._retire(old, grace)

    async def taken_over(self, within: float = CLOSED_WITHIN) -> None:
        """Wait until none of those that were replaced accepts anybody any more.

        Args:
            within: Seconds after which one that hangs is waited for no longer.
        """
        leaving = [asyncio.ensure_future(worker.closed()) for worker in self._retiring]
        if leaving:
            _, hanging = await asyncio.wait(leaving, timeout=within)
            for task in hanging:
                task.cancel()

    async def stop(self, grace: float) -> None:
        """Stop all workers, at once, those that are on their way out too.

        Args:
            grace: Seconds between asking and ending.
        """
        for slot in self._slots:
            if slot.worker is not None:
                self._retire(slot.worker, grace)
                slot.worker = None
        if self._retiring:  # not cancelled with this: who is in a hurry kills them
            await asyncio.wait(self._retiring.values())

    def kill(self) -> None:
        """End all workers now."""
        for worker in [*self.workers, *self._retiring]:
            worker.kill()

    async def _fill_all(self, slots: list[_Slot]) -> None:
        try:
            await all_of(*(self._fill(slot) for slot in slots))
        except StartupError:
            await self.stop(grace=0.0)
            raise

    async def _fill(self, slot: _Slot) -> Worker:
        worker = await self._launch(slot.number)
        self._install(slot, worker)
        return worker

    def _install(self, slot: _Slot, worker: Worker) -> None:
        worker.admit()
        slot.worker, slot.since = worker, self._clock()
        slot.changed.set()

    def _retire(self, worker: Worker, grace: float) -> None:
        task = asyncio.ensure_future(worker.stop(grace))
        self._retiring[worker] = task
        task.add_done_callback(lambda _: self._retiring.pop(worker, None))

    async def _keep_slot(self, slot: _Slot) -> None:
        deaths = 0
        while (worker := slot.worker) is not None:
            since = slot.since
            slot.changed.clear()
            status = await _ended(worker, slot.changed)
            if status is None:  # it was replaced
                deaths = 0
                continue
            self._note(Reason.DIED)
            _LOG.error("%s, pid %d, ended unexpectedly (%s)", worker.name, worker.pid, _how(status))
            deaths = self._backoff.in_a_row(deaths, status, self._clock() - since)
            deaths = await self._revive(slot, worker, deaths)

    async def _revive(self, slot: _Slot, dead: Worker, deaths: int) -> int:
        """Fill a slot again, unless somebody else does; return the deaths in a row."""
        while not self._backoff.is_hopeless(deaths):
            await self._sleep(self._backoff.delay(deaths))
            async with slot.launching:
                if slot.worker is not dead:
                    return 0
                try:
                    worker = await self._fill(slot)
                except StartupError as exc:
                    deaths += 1
                    self._note(Reason.NOT_STARTED)
                    _LOG.error("%s did not start again: %s", dead.name, exc)
                else:
                    _LOG.warning("%s is ready again, pid %d", worker.name, worker.pid)
                    return deaths
        msg = f"{dead.name} died {deaths} times in a row"
        raise StartupError(msg, remedy="see its output above for the cause", by_app=True)


async def _ended(worker: Worker, changed: asyncio.Event) -> int | None:
    """Wait for the end of a worker and return its exit status; None if it was replaced first."""
    ending = asyncio.ensure_future(worker.wait())
    changing = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait({ending, changing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        changing.cancel()
        ending.cancel()
    return ending.result() if ending.done() and not changed.is_set() else None


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"

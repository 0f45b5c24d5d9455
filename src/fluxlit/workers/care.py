"""Why a worker that lives has to be replaced, and who sees to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fluxlit.exceptions import StartupError
from fluxlit.workers.board import Board, Record, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import Reason
from fluxlit.workers.pool import WorkerPool

if TYPE_CHECKING:
    from fluxlit.config import FluxlitSettings

_LOG: Final = logging.getLogger("fluxlit.workers")

LOOK_SECONDS: Final = 1.0
"""Between two looks at the board, on which workers write once a second."""

YOUNG_SECONDS: Final = 10.0
"""Age below which memory is no reason: what a fresh worker needs, the next one would need too."""

RETRY_SECONDS: Final = 60.0
"""Between a replacement that did not start and the next try."""

STUCK_GRACE: Final = 1.0
"""Seconds that a worker has to end whose loop stands still; it will hardly hear of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may cost. None is: as much as it likes.

    Attributes:
        age: Seconds of life.
        resident: Bytes of memory.
        silence: Seconds for which its event loop may stand still.
    """

    age: float | None = None
    resident: float | None = None
    silence: float | None = None

    @classmethod
    def of_ui(cls, settings: FluxlitSettings, *, development: bool = False) -> Limits:
        """Return those of UI workers. A debugger may hold a loop for as long as it likes."""
        silence = None if development else settings.worker_stuck_timeout_s or None
        most = settings.ui_max_rss_mb
        return cls(settings.ui_max_age_s, most and most << 20, silence)

    @classmethod
    def of_gateway(cls, settings: FluxlitSettings, *, development: bool = False) -> Limits:
        """Return those of gateway workers, which hold no sessions that could grow."""
        return cls(silence=cls.of_ui(settings, development=development).silence)

    def exceeded_by(self, record: Record, now_ns: int) -> Reason | None:
        """Tell why a worker has to be replaced, if it has to.

        Args:
            record: What the board says of it.
            now_ns: :func:`time.monotonic_ns`.
        """
        if record.state != State.READY:
            return None
        age = (now_ns - record.born_ns) / 1e9
        if self.silence is not None and now_ns - record.beat_ns > self.silence * 1e9:
            return Reason.STUCK
        if self.resident is not None and record.resident > self.resident and age > YOUNG_SECONDS:
            return Reason.MEMORY
        if self.age is not None and age > self.age:
            return Reason.AGE
        return None


class Caretaker:
    """Replaces the workers of a pool that exceed their limits, one after the other.

    Args:
        board: Where the workers are told of.
        kind: What they serve.
        pool: Them.
        limits: What each may cost.
        grace: Seconds that a replaced one has to end.
        clock_ns: Nanoseconds, monotonic.
    """

    def __init__(
        self,
        board: Board,
        kind: WorkerKind,
        pool: WorkerPool,
        limits: Limits,
        grace: float,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._board = board
        self._kind = kind
        self._pool = pool
        self._limits = limits
        self._grace = grace
        self._clock_ns = clock_ns
        self._not_before: dict[int, int] = {}

    async def run(self) -> None:
        """Look once a second, until cancelled.

        If this process itself stood still (a machine that slept, a container that was paused),
        so did all others, and they get a moment to say that they are back.
        """
        while True:
            before = self._clock_ns()
            await asyncio.sleep(LOOK_SECONDS)
            if self._clock_ns() - before < 3 * LOOK_SECONDS * 1e9:
                await self.look()

    async def look(self) -> None:
        """Replace who has to be, and wait until that is done."""
        for record in self._board.newest(self._kind):
            now_ns = self._clock_ns()
            reason = self._limits.exceeded_by(record, now_ns)
            if reason is not None and self._not_before.get(record.slot, 0) <= now_ns:
                await self._replace(record, reason)

    async def _replace(self, record: Record, reason: Reason) -> None:
        _LOG.warning("%s, pid %d: %s", record.name, record.pid, self._told(record, reason))
        grace = STUCK_GRACE if reason is Reason.STUCK else self._grace
        try:
            await self._pool.replace(record.slot, reason, grace)
        except StartupError as exc:
            again = self._clock_ns() + int(RETRY_SECONDS * 1e9)
            self._not_before[record.slot] = again
            _LOG.error("%s goes on, as no other started: %s", record.name, exc)

    def _told(self, record: Record, reason: Reason) -> str:
        now_ns, limits = self._clock_ns(), self._limits
        match reason:
            case Reason.STUCK:
                return f"its event loop stands still for {(now_ns - record.beat_ns) / 1e9:.0f} s"
            case Reason.MEMORY:
                held, most = record.resident >> 20, int(limits.resident or 0) >> 20
                return f"it holds {held} MB of memory, and may hold {most}"
            case _:
                return f"it is {(now_ns - record.born_ns) / 1e9:.0f} s old"

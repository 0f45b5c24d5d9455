"""When a UI worker collects garbage: when nobody waits for it.

Streamlit collects everything after each script run, between a user's click and the answer; with
a few hundred thousand objects from pandas and friends that is most of a small rerun. Here what
the start has made is frozen out of the collector's sight, Python's own full collections are
switched off, and a collection is due

* when the worker has been idle for a moment,
* when memory has grown, as soon as nobody waits for a run,
* when it has grown to a limit, at once: a worker that is never idle stays bounded too,
* when the last visitor's session is over: everything is looked at and given back.

Python's collections of young objects stay on; they take microseconds. In Python 3.14 the automatic
collector is incremental, knows no full collections and ignores their threshold
(https://docs.python.org/3.14/library/gc.html#gc.set_threshold).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fluxlit.config import FluxlitSettings
from fluxlit.workers.memory import give_back, resident_meter

_LOG: Final = logging.getLogger("fluxlit.workers")

TURNS: Final = 5
"""Turns of the loop from the end of a run to the look: what is held back to be written together
(workers/gathering.py) has left by then."""

LOOK_EVERY: Final = 0.25
"""Seconds between two looks while no run ends: at an idle worker, and at runs that never end."""

NEVER: Final = 1_000_000_000
"""A threshold that no count of young collections reaches."""

MIB: Final = 1024 * 1024


def freeze() -> None:
    """End the start: move everything that lives now out of the collector's way, and turn it on.

    What little garbage the start has left stays; looking for it would delay the start.
    """
    gc.freeze()
    gc.enable()


def own_full_collections() -> None:
    """Keep Python from collecting everything by itself; a :class:`Collector` does it."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)


class Reason(StrEnum):
    """Why a collection is due."""

    IDLE = "idle"
    GROWTH = "growth"
    LIMIT = "limit"
    VACANT = "vacant"


@dataclass(frozen=True, slots=True)
class Policy:
    """When to collect.

    Attributes:
        idle: Seconds without a run after which a collection disturbs nobody.
        growth: Bytes of growth that make a collection due when nobody waits.
        limit: Bytes of growth that make one due whoever waits.
    """

    idle: float = 1.0
    growth: int = 64 * MIB
    limit: int = 192 * MIB

    @classmethod
    def from_settings(cls, settings: FluxlitSettings) -> Policy:
        """Take the policy from an app's settings."""
        return cls(
            idle=settings.ui_collector_idle_s,
            growth=settings.ui_collector_growth_bytes,
            limit=settings.ui_collector_limit_bytes,
        )

    def due(self, *, waiting: bool, quiet: float, grown: int) -> Reason | None:
        """Decide whether a collection is due after runs since the last one.

        Args:
            waiting: Whether somebody waits for the end of a run.
            quiet: Seconds since the last run ended.
            grown: Bytes that memory has grown by since everything was collected.
        """
        if grown >= self.limit:
            return Reason.LIMIT
        if waiting:
            return None
        if grown >= self.growth:
            return Reason.GROWTH
        return Reason.IDLE if quiet >= self.idle else None


def _after_turns(call: Callable[[], None], turns: int = TURNS) -> None:
    if turns:
        asyncio.get_running_loop().call_soon(_after_turns, call, turns - 1)
    else:
        call()


class Collector:
    """Collects the garbage of runs when it is due.

    What survives a collection is frozen, so that the next one looks only at what came after it,
    whatever the pages have imported meanwhile. When that does not bring grown memory back,
    everything is thawed and looked at.

    Args:
        policy: When to collect.
        waiting: Tells how many users wait for a run.
        sessions: Tells how many sessions there are, those included that are kept for tabs that have
            left.
        meter: Tells the resident memory in bytes.
        clock: Tells the time in seconds.
        later: Calls something when what was sent has left.

    Attributes:
        counts: How many collections there were, by reason.
    """

    def __init__(
        self,
        policy: Policy,
        waiting: Callable[[], int],
        *,
        sessions: Callable[[], int] = lambda: 0,
        meter: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._policy = policy
        self._later = later or _after_turns
        self._waiting = waiting
        self._sessions = sessions
        self._has_sessions = False
        self._meter = meter or resident_meter()
        self._clock = clock
        self._floor = self._meter()
        self._ended = clock()
        self._clean = True
        self.counts: Counter[Reason] = Counter()

    def run_ended(self) -> None:
        """Note that the last message of a run was handed to the server.

        The look follows as soon as that is on its way to the browser.
        """
        self._ended, self._clean = self._clock(), False
        self._later(self.look)

    def look(self) -> None:
        """Collect if it is due."""
        waiting = self._waiting() > 0
        grown = self._meter() - self._floor
        if self._clean and grown < self._policy.growth:
            return  # no run has ended since the last collection
        quiet = self._clock() - self._ended
        reason = self._policy.due(waiting=waiting, quiet=quiet, grown=grown)
        if reason is not None:
            self._collect(reason)

    async def run(self) -> None:
        """Look every :data:`LOOK_EVERY` seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look()
            self.look_for_vacancy()

    def look_for_vacancy(self) -> None:
        """Collect everything if the last session has ended since the last look."""
        had, self._has_sessions = self._has_sessions, self._sessions() > 0
        if had and not self._has_sessions:
            self._collect(Reason.VACANT)

    def _collect(self, reason: Reason) -> None:
        started, before = self._clock(), self._meter()
        found = gc.collect()
        if reason is Reason.VACANT:
            found += self._collect_frozen()
        elif reason is not Reason.IDLE:
            found += self._bring_back(before)
        gc.freeze()
        now, self._clean = self._meter(), True
        self.counts[reason] += 1
        _LOG.debug(
            "collected %d objects in %.1f ms (%s): %+.1f MiB, now %.0f MiB",
            found,
            (self._clock() - started) * 1000,
            reason,
            (now - before) / MIB,
            now / MIB,
        )

    def _bring_back(self, before: int) -> int:
        """Give back what was freed; if that is less than half of the growth, thaw and collect all.

        Growth counts on from what everything took, so what hides frozen adds up until it is seen.
        """
        give_back()
        if 2 * (self._meter() - self._floor) <= before - self._floor:
            return 0
        return self._collect_frozen()

    def _collect_frozen(self) -> int:
        gc.unfreeze()
        found = gc.collect()
        give_back()
        self._floor = self._meter()
        return found

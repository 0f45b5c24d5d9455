"""When a UI worker collects garbage: when nobody waits for it.

Streamlit collects everything after each script run, between a user's click and the answer; with
a few hundred thousand objects from pandas and friends that is most of a small rerun. Here the
objects of the start are frozen out of the collector's sight, and a full collection happens when
the worker has been idle for a moment. Python's own thresholds stay on as the bound for a worker
that is never idle.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

IDLE_SECONDS: Final = 1.0
"""Quiet time after which a collection disturbs nobody."""


def freeze() -> None:
    """End the start: move everything that lives now out of the collector's way, and turn it on.

    What little garbage the start has left stays; looking for it would delay the start.
    """
    gc.freeze()
    gc.enable()


class IdleCollector:
    """Collects once after each burst of activity.

    Args:
        activity: Counts something that grows with every run, such as messages served.
        collect: The collection.
    """

    def __init__(
        self, activity: Callable[[], int], *, collect: Callable[[], object] = gc.collect
    ) -> None:
        self._activity = activity
        self._collect = collect
        self._seen = activity()
        self._pending = False

    def tick(self) -> None:
        """Look once: collect if there was activity before, and none since the last look."""
        now = self._activity()
        if now != self._seen:
            self._seen, self._pending = now, True
        elif self._pending:
            self._pending = False
            self._collect()

    async def run(self) -> None:
        """Look every :data:`IDLE_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            self.tick()

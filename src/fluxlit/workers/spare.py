"""A child that is there before it is needed, so that the next worker of its kind starts quickly."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from fluxlit._types import JsonValue
from fluxlit.exceptions import StartupError
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind

PAUSE: Final = 0.5
"""Seconds after a spare child was taken before the next one is spawned: who took it is starting."""

END_GRACE: Final = 1.0
"""Seconds that a spare child has to end; it has nothing to finish."""


class Spare:
    """At most one child that has done its imports and waits to be told what it is.

    Args:
        kind: What it could serve.
        child: One that is there already.
    """

    def __init__(self, kind: WorkerKind, child: Child | None = None) -> None:
        self._kind = kind
        self._child = child
        self._modules: JsonValue = []
        self._taken = asyncio.Event()

    def learn(self, modules: JsonValue) -> None:
        """Take the names of installed modules that a worker of this kind has imported.

        The next spare child imports them, too, while nobody waits.
        """
        self._modules = modules

    def take(self) -> Child:
        """Return the spare child, or one that is still to be spawned."""
        child, self._child = self._child, None
        self._taken.set()
        if child is not None and child.returncode is None:
            return child
        return Child(self._kind)

    async def keep(self) -> None:
        """Have a spare child, and another one soon after it was taken, until cancelled."""
        while True:
            self._taken.clear()
            await asyncio.sleep(PAUSE)
            await self._refill()
            await self._taken.wait()

    async def _refill(self) -> None:
        """Spawn a child, unless there is one; there is none where the system has no room."""
        if self._child is not None and self._child.returncode is None:
            return
        child = Child(self._kind)
        try:
            await child.spawn()
        except StartupError:
            return
        path = [entry for entry in sys.path if entry]
        child.tell({"event": "prepare", "modules": self._modules, "search_path": list(path)})
        self._child = child  # only now: whoever took it earlier would spawn it once more

    async def close(self) -> None:
        """End the spare child."""
        child, self._child = self._child, None
        if child is not None:
            await child.end(END_GRACE)

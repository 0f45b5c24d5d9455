"""A child that waits: spawned ahead, its imports done, for whoever needs a worker soon."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from fluxlit.exceptions import StartupError
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind

_LOG: Final = logging.getLogger("fluxlit.workers")

END_GRACE: Final = 0.5
"""Seconds that a spare has to end; it has done nothing that it would have to finish."""


class Spare:
    """At most one waiting child of a kind.

    Args:
        kind: What it is going to serve.
    """

    def __init__(self, kind: WorkerKind) -> None:
        self._kind = kind
        self._child: Child | None = None
        self._spawning: asyncio.Task[None] | None = None

    def take(self) -> Child:
        """Return the waiting child, or one that is still to be spawned."""
        child, self._child = self._child, None
        return child if child is not None and child.returncode is None else Child(self._kind)

    def refill(self) -> None:
        """Spawn another, unless one waits."""
        waits = self._child is not None and self._child.returncode is None
        if not waits and (self._spawning is None or self._spawning.done()):
            self._spawning = asyncio.ensure_future(self._spawn())

    async def discard(self) -> None:
        """End the waiting child, if there is one."""
        if self._spawning is not None:
            await self._spawning
        if self._child is not None:
            child, self._child = self._child, None
            await child.end(END_GRACE)

    async def _spawn(self) -> None:
        if self._child is not None:  # it has died, unused
            self._child.close()
        child = Child(self._kind)
        try:
            await child.spawn()
        except StartupError as exc:  # who needs one will try again, and tell
            _LOG.debug("no spare: %s", exc)
        else:
            self._child = child

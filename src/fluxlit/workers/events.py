"""What happens to workers, counted for metrics: who was replaced, how often, and why.

One table in the run directory with a row a kind of worker; the owner of the service counts, whoever
is asked tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final

from fluxlit._table import Table
from fluxlit.workers.command import WorkerKind

KINDS: Final = tuple(WorkerKind)


class Reason(IntEnum):
    """Why a worker was or is to be replaced; the numbers are the columns."""

    DIED = 0
    """It ended by itself, or somebody ended it."""
    NOT_STARTED = 1
    """One that was to replace another did not start."""
    STUCK = 2
    """Its event loop stood still for too long."""
    MEMORY = 3
    """It held more memory than it may."""
    AGE = 4
    """It served for as long as it may."""
    RELOAD = 5
    """Somebody asked for the code to be loaded anew."""
    EDITED = 6
    """The code was edited while it is being developed."""

    @property
    def label(self) -> str:
        """The reason as a metric names it."""
        return self.name.lower()


class WorkerEvents:
    """The counts of a service.

    Args:
        directory: The run directory.

    Raises:
        OSError: There are none in it.
    """

    def __init__(self, directory: Path) -> None:
        self._table = Table(_path(directory), len(Reason))

    @classmethod
    def create(cls, directory: Path) -> WorkerEvents:
        """Make the table of a new service, as its owner."""
        Table.create(_path(directory), rows=len(KINDS), columns=len(Reason))
        return cls(directory)

    def count(self, kind: WorkerKind, reason: Reason) -> None:
        """Count one event; only the owner of the service may."""
        self._table[KINDS.index(kind)][reason] += 1

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Go through kind, reason and number of what has happened."""
        for kind, row in zip(KINDS, self._table, strict=True):
            for reason in Reason:
                yield kind.label, reason.label, row[reason]


def _path(directory: Path) -> Path:
    return directory / "events"

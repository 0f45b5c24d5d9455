"""The board: what everybody may know of a service and each of its workers, without asking them.

A table in the run directory with a row for the service and a row a worker. The owner of the service
(the supervisor, or the server that runs the app object) gives each worker it starts a free row and
writes the columns that say who and in what state the worker is; the worker writes the rest itself,
its beat from the event loop, so that a loop that hangs is seen. Gateways read it to choose a
worker, health and metrics to tell of all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path
from typing import Final

from fluxlit._table import Row, Table
from fluxlit.exceptions import StartupError
from fluxlit.workers.command import WorkerKind

SILENT_AFTER: Final = 5.0
"""Seconds without a beat after which a worker's loop counts as stuck; it beats once a second."""


class State(IntEnum):
    """A worker's one life, and the service's; the numbers stand on the board.

    0 stands in a row that nobody has had.
    """

    STARTING = 1
    READY = 2
    DRAINING = 3
    GONE = 4

    @property
    def label(self) -> str:
        """The state as it is called in an answer."""
        return self.name.lower()


KINDS: Final = (WorkerKind.GATEWAY, WorkerKind.UI)
"""The kinds in the order of their numbers on the board."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a row says. The order of the fields is the order of the columns.

    Attributes:
        state: A :class:`State`; the owner writes it.
        kind: Number in :data:`KINDS`; the owner's.
        slot: Which of its kind; the owner's.
        generation: Number of its birth among all of the service, from 1; the owner's.
        born_ns: When that was, in nanoseconds of :func:`time.monotonic`; the owner's.
        pid: Its process id; 0 until its first beat.
        beat_ns: When its event loop last turned, in nanoseconds of :func:`time.monotonic`.
        resident: Bytes of memory that it holds.
        port: Where it listens on TCP, if it does.
        hosts_ui: Whether a gateway worker serves the UI in its own process.
        taken: The worker's counts, as :class:`~fluxlit.workers.traffic.Traffic` tells them: this
            and the following.
    """

    state: int = 0
    kind: int = 0
    slot: int = 0
    generation: int = 0
    born_ns: int = 0
    pid: int = 0
    beat_ns: int = 0
    resident: int = 0
    port: int = 0
    hosts_ui: int = 0
    taken: int = 0
    sockets: int = 0
    received: int = 0
    sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0

    @property
    def name(self) -> str:
        """What logs and metrics call the worker."""
        return f"{KINDS[self.kind].label}-{self.slot}"

    @property
    def serves_ui(self) -> bool:
        """Whether it is a UI worker."""
        return KINDS[self.kind] is WorkerKind.UI

    @property
    def has_pages(self) -> bool:
        """Whether the UI is in its process."""
        return self.serves_ui or bool(self.hosts_ui)

    @property
    def is_up(self) -> bool:
        """Whether it serves, and its loop turns."""
        return self.state == State.READY and not self.is_silent(time.monotonic_ns())

    def is_silent(self, now_ns: int) -> bool:
        """Tell whether its loop has not turned for too long."""
        return now_ns - self.beat_ns > SILENT_AFTER * 1e9


COLUMN: Final = {field.name: index for index, field in enumerate(fields(Record))}
"""Number of the column of each field."""


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's row, from its owner's side.

    Attributes:
        index: Number of the row.
        generation: Number of the birth.
        row: The cells.
    """

    index: int
    generation: int
    row: Row

    def enter(self, state: State) -> None:
        """Write a new state."""
        self.row[COLUMN["state"]] = state


class Board:
    """The open board of a service.

    Args:
        directory: The run directory.

    Raises:
        OSError: There is no board in it.
    """

    def __init__(self, directory: Path) -> None:
        self._table = Table(_path(directory), len(COLUMN))
        self._births = 0

    @classmethod
    def create(cls, directory: Path) -> Board:
        """Make the board of a new service, as its owner."""
        Table.create(_path(directory), rows=ROWS, columns=len(COLUMN))
        board = cls(directory)
        own = board.row(_SERVICE)
        own[COLUMN["born_ns"]] = time.monotonic_ns()
        own[COLUMN["pid"]] = os.getpid()
        board.enter(State.STARTING)
        return board

    def enter(self, state: State) -> None:
        """Write the service's own state; only the owner may.

        It starts until each worker has been ready once, and drains when it ends; in between it is
        ready, whatever happens to its workers.
        """
        self.row(_SERVICE)[COLUMN["state"]] = state

    def service(self) -> Record:
        """Return what is told of the service: its state and birth, and the process that owns it."""
        return Record(*self.row(_SERVICE).tolist())

    def claim(self, kind: WorkerKind, slot: int) -> Place:
        """Give a worker that is about to be started a row; only the owner may.

        Raises:
            StartupError: All rows are in use.
        """
        for index, row in self._worker_rows():
            if not row[COLUMN["state"]] or _was(row, kind, slot):
                return self._claimed(index, row, kind, slot)
        msg = f"a service has at most {ROWS - 1} workers"
        raise StartupError(msg, remedy="start fewer with --workers and --ui-workers")

    def _claimed(self, index: int, row: Row, kind: WorkerKind, slot: int) -> Place:
        self._births += 1
        row[COLUMN["state"]] = 0  # until the rest of it is true
        for name, value in {
            **dict.fromkeys(COLUMN, 0),
            "kind": KINDS.index(kind),
            "slot": slot,
            "generation": self._births,
            "born_ns": time.monotonic_ns(),
            "beat_ns": time.monotonic_ns(),
        }.items():
            row[COLUMN[name]] = value
        place = Place(index, self._births, row)
        place.enter(State.STARTING)
        return place

    def row(self, index: int) -> Row:
        """Return a row, for the worker that it belongs to."""
        return self._table[index]

    def record(self, index: int) -> Record:
        """Return what one row says."""
        return Record(*self._table[index].tolist())

    def records(self, kind: WorkerKind | None = None) -> list[Record]:
        """Return what all rows that are or were in use say, by slot and generation."""
        found = [it for it in self._used() if kind is None or KINDS[it.kind] is kind]
        return sorted(found, key=lambda record: (record.kind, record.slot, record.generation))

    def newest(self, kind: WorkerKind | None = None) -> list[Record]:
        """Return one record a slot: of the worker that is up, else of the last one born."""
        chosen: dict[tuple[int, int], Record] = {}
        for record in self.records(kind):
            place = (record.kind, record.slot)
            if place not in chosen or chosen[place].state != State.READY or record.is_up:
                chosen[place] = record
        return list(chosen.values())

    def _used(self) -> Iterator[Record]:
        """Go through the rows that have an owner's word; they are given out from the first on.

        Each is read once: the owner may write it anew between two looks.
        """
        for _, row in self._worker_rows():
            record = Record(*row.tolist())
            if record.state:
                yield record
            elif not record.generation:
                return

    def _worker_rows(self) -> Iterator[tuple[int, Row]]:
        rows = enumerate(self._table)
        next(rows)  # the service's own
        return rows


def _was(row: Row, kind: WorkerKind, slot: int) -> bool:
    """Tell whether a row is that of a slot's worker that is gone: the slot keeps it until then."""
    record = Record(*row.tolist())
    return record.state == State.GONE and (KINDS[record.kind], record.slot) == (kind, slot)


ROWS: Final = 257
"""The service's own, and more than twice as many as it can have workers, so that each can be
replaced at once."""

_SERVICE: Final = 0
"""Number of the service's own row."""


def _path(directory: Path) -> Path:
    return directory / "board"

"""The workers of one service, as a gateway of it sees them: through the board."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from fluxlit.gateway.upstream import Member, Upstream
from fluxlit.metrics import Tallies, Tally
from fluxlit.workers.board import Board, Record, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import WorkerEvents
from fluxlit.workers.rundir import handoff_socket, ui_socket

_SERVING = frozenset({State.READY, State.DRAINING})


class Fleet:
    """The UI workers to choose from, and the figures to tell.

    Args:
        secret: The service's secret, the same for all of its gateways.
        hands_over: Whether browsers' sockets are handed to the workers where the server can.
    """

    def __init__(self, *, secret: str, hands_over: bool = False) -> None:
        self.secret = secret
        self._hands_over = hands_over
        self._directory: Path | None = None
        self._board: Board | None = None
        self._upstreams: dict[int, Upstream] = {}
        self._row = 0

    def join(self, directory: Path, row: int) -> None:
        """Take part in a service.

        Args:
            directory: The run directory, with its board.
            row: This gateway's row on it.
        """
        self._directory, self._row = directory, row
        self._board = Board(directory)

    @property
    def has_joined(self) -> bool:
        """Whether it takes part in a service; not before a lifespan has begun one."""
        return self._board is not None

    def members(self) -> Sequence[Member]:
        """Return every UI worker that is, is about to be, or is to come back."""
        if self._board is None:
            return ()
        records = self._board.records(WorkerKind.UI)
        last = {record.slot: record.generation for record in records}
        there = [it for it in records if it.state != State.GONE or it.generation == last[it.slot]]
        if self._upstreams.keys() - {record.generation for record in there}:
            self._upstreams.clear()
        now = time.monotonic_ns()
        return [self._member(record, now) for record in there]

    def figures(self) -> Sequence[Record]:
        """Return what the board says of each worker now, gateways included."""
        return self._board.newest() if self._board else ()

    def events(self) -> WorkerEvents:
        """Return what has happened to workers.

        Raises:
            OSError: This process takes part in no service.
        """
        return WorkerEvents(self._directory or Path("/nonexistent"))

    def tallies(self) -> Tallies:
        """Return the service's counts.

        Raises:
            OSError: This process takes part in no service.
        """
        return Tallies(self._directory or Path("/nonexistent"))

    def tally(self) -> Tally:
        """Return where this gateway counts."""
        return self.tallies().tally(self._row)

    def _member(self, record: Record, now_ns: int) -> Member:
        state, silent = State(record.state), record.is_silent(now_ns)
        return Member(
            self._upstream(record),
            slot=record.slot,
            generation=record.generation,
            load=record.sockets,
            serves=state in _SERVING,
            welcomes=state is State.READY and not silent,
            detail=state.label,
        )

    def _upstream(self, record: Record) -> Upstream:
        found = self._upstreams.get(record.generation)
        if found is None:
            folder = self._directory or Path("/nonexistent")
            path = ui_socket(folder, record.slot, record.generation)
            handoff = handoff_socket(path) if self._hands_over else None
            found = Upstream(record.name, socket_path=path, handoff_path=handoff)
            self._upstreams[record.generation] = found
        return found

"""A worker with a place on the board: how the owner of a service makes one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fluxlit.metrics import Tallies
from fluxlit.workers.board import ROWS, Board, Place, State
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import WorkerEvents
from fluxlit.workers.process import WorkerProcess
from fluxlit.workers.rundir import handoff_socket, ui_socket, writing_in
from fluxlit.workers.spec import WorkerSpec


def found_board(directory: Path) -> Board:
    """Make the board of a new service, and the tables beside it in which is counted.

    Args:
        directory: The run directory.

    Raises:
        StartupError: There is no room for them.
    """
    with writing_in(directory):
        Tallies.create(directory, rows=ROWS)
        WorkerEvents.create(directory)
        return Board.create(directory)


def enlist(board: Board, child: Child, spec: WorkerSpec, slot: int) -> WorkerProcess:
    """Make a worker that is to be started, with a row of its own.

    Each state that its owner sees is written there; what a dead one leaves in the run directory
    is removed.

    Args:
        board: The service's board.
        child: The process that is to be the worker, spawned or not.
        spec: What all workers of the service are told.
        slot: Which of its kind it is.
    """
    place = board.claim(child.kind, slot)
    own = spec.for_place(slot, generation=place.generation, row=place.index)

    def note(state: State) -> None:
        place.enter(state)
        if state is State.GONE and child.kind is WorkerKind.UI:
            _remove_sockets(own, place)

    return WorkerProcess(child, own, note=note)


def _remove_sockets(spec: WorkerSpec, place: Place) -> None:
    path = ui_socket(spec.run_directory, spec.slot, place.generation)
    for name in (path, handoff_socket(path)):
        with contextlib.suppress(OSError):  # a disk that cannot be written; nobody goes there
            Path(name).unlink()

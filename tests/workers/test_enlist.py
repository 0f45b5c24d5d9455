from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.metrics import Tallies
from fluxlit.workers.board import State
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.process import launch
from fluxlit.workers.rundir import handoff_socket, ui_socket
from fluxlit.workers.spec import WorkerSpec


@pytest.mark.integration
def test_a_worker_s_life_is_on_the_board_and_its_sockets_go_with_it(tmp_path: Path) -> None:
    board = found_board(tmp_path)
    assert set(Tallies(tmp_path).total()) == {0}
    spec = WorkerSpec(target="nothing_here:app", run_directory=str(tmp_path))
    worker = enlist(board, Child(WorkerKind.UI), spec, 1)
    (record,) = board.records()
    assert (record.state, worker.spec.slot, worker.spec.generation) == (State.STARTING, 1, 1)
    assert board.row(worker.spec.row).tolist()[0] == State.STARTING
    path = Path(ui_socket(tmp_path, 1, 1))
    left = [path, Path(handoff_socket(str(path)))]
    for name in left:
        name.touch()

    async def main() -> None:
        with pytest.raises(StartupError, match="nothing_here"):
            await launch(worker)

    asyncio.run(main())
    assert board.records()[0].state == State.GONE
    assert not [name for name in left if name.exists()]


@pytest.mark.integration
def test_a_reason_of_any_length_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("raise ValueError('loud' * 1_000_000)")
    spec = WorkerSpec(target="loud:app", run_directory=str(tmp_path), search_path=[str(tmp_path)])
    worker = enlist(found_board(tmp_path), Child(WorkerKind.UI), spec, 0)

    async def main() -> None:
        with pytest.raises(StartupError, match="ValueError: loudloud"):
            await launch(worker, within=60)

    asyncio.run(main())


def test_a_run_directory_that_cannot_be_cleared_ends_nothing(tmp_path: Path) -> None:
    board = found_board(tmp_path)
    spec = WorkerSpec(target="app:app", run_directory=str(tmp_path))
    worker = enlist(board, Child(WorkerKind.UI), spec, 0)
    Path(ui_socket(tmp_path, 0, 1)).mkdir()  # cannot be unlinked either
    asyncio.run(worker.abandon())
    assert board.records()[0].state == State.GONE

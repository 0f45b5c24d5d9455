from __future__ import annotations

import os
import time
from dataclasses import fields
from pathlib import Path

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.workers.board import COLUMN, ROWS, Board, Record, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.traffic import Traffic

UI, GATEWAY = WorkerKind.UI, WorkerKind.GATEWAY


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board.create(tmp_path)


def test_a_worker_s_counts_have_columns_of_their_names() -> None:
    assert {field.name for field in fields(Traffic)} <= COLUMN.keys()


def test_a_new_worker_is_seen_by_all_as_starting(board: Board, tmp_path: Path) -> None:
    place = board.claim(UI, 2)
    (record,) = Board(tmp_path).records()
    assert (record.name, record.state, record.generation) == ("ui-2", State.STARTING, 1)
    assert record.serves_ui
    assert not record.is_up
    place.enter(State.READY)
    assert Board(tmp_path).records()[0].is_up


def test_every_birth_has_a_number_of_its_own(board: Board) -> None:
    births = [board.claim(UI, 0), board.claim(GATEWAY, 0), board.claim(UI, 1)]
    assert [place.generation for place in births] == [1, 2, 3]
    assert len({place.index for place in births}) == 3


def test_a_successor_gets_the_row_of_the_dead_and_nothing_of_its_numbers(board: Board) -> None:
    dead, other = board.claim(UI, 0), board.claim(UI, 1)
    dead.row[COLUMN["sockets"]] = 7
    dead.enter(State.GONE)
    third = board.claim(UI, 2)
    assert third.index not in {dead.index, other.index}
    successor = board.claim(UI, 0)
    assert (successor.index, successor.generation) == (dead.index, 4)
    assert successor.row[COLUMN["sockets"]] == 0
    assert [record.slot for record in board.records()] == [0, 1, 2]


def test_a_worker_and_its_replacement_have_a_row_each_until_one_is_gone(board: Board) -> None:
    old, new = board.claim(UI, 0), board.claim(UI, 0)
    old.enter(State.READY)
    assert [record.generation for record in board.newest()] == [1]
    new.enter(State.READY)
    old.enter(State.DRAINING)
    assert [record.generation for record in board.records()] == [1, 2]
    assert [record.generation for record in board.newest()] == [2]


def test_a_kind_can_be_asked_for_alone(board: Board) -> None:
    board.claim(GATEWAY, 0)
    board.claim(UI, 0)
    assert [record.name for record in board.records()] == ["gateway-0", "ui-0"]
    assert [record.name for record in board.records(UI)] == ["ui-0"]


def test_a_loop_that_does_not_turn_is_silent_after_a_while(board: Board) -> None:
    place = board.claim(UI, 0)
    place.enter(State.READY)
    now = time.monotonic_ns()
    place.row[COLUMN["beat_ns"]] = now - 4 * 10**9
    assert not board.records()[0].is_silent(now)
    place.row[COLUMN["beat_ns"]] = now - 6 * 10**9
    assert board.records()[0].is_silent(now)
    assert not board.records()[0].is_up


def test_the_service_has_a_state_of_its_own_and_is_no_worker(board: Board, tmp_path: Path) -> None:
    other = Board(tmp_path)
    assert (other.service().state, other.service().pid) == (State.STARTING, os.getpid())
    assert 0 <= time.monotonic_ns() - other.service().born_ns < 10**9
    assert board.claim(UI, 0).index > 0
    board.enter(State.DRAINING)
    assert other.service().state == State.DRAINING
    assert [record.state for record in other.records()] == [State.STARTING]


def test_a_full_board_says_so(board: Board) -> None:
    for slot in range(1, ROWS):
        board.claim(UI, slot)
    with pytest.raises(StartupError, match="at most 256 workers"):
        board.claim(UI, ROWS)


def test_the_order_of_the_fields_is_the_order_of_the_columns(board: Board) -> None:
    row = board.claim(UI, 0).row
    row[:] = memoryview(bytes(8 * len(COLUMN))).cast("q")
    for value, field in enumerate(fields(Record), start=1):
        row[COLUMN[field.name]] = value
    assert Record(*row.tolist()) == Record(*range(1, len(COLUMN) + 1))

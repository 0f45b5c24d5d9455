from __future__ import annotations

import time
from pathlib import Path

import pytest

from fluxlit.fleet import Fleet
from fluxlit.workers.board import COLUMN, Place, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import found_board
from fluxlit.workers.rundir import ui_socket


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    board = found_board(tmp_path)
    board.claim(WorkerKind.GATEWAY, 0)
    return [board.claim(WorkerKind.UI, slot) for slot in range(2)]


@pytest.fixture
def fleet(tmp_path: Path, places: list[Place]) -> Fleet:  # noqa: ARG001 - the board it joins
    fleet = Fleet(secret="s3cret", hands_over=True)
    fleet.join(tmp_path, row=0)
    return fleet


def test_before_there_is_a_service_there_is_nobody() -> None:
    assert list(Fleet(secret="s").members()) == []
    assert list(Fleet(secret="s").figures()) == []
    with pytest.raises(OSError, match="nonexistent"):
        Fleet(secret="s").tally()


def test_a_member_is_reached_by_slot_and_birth(fleet: Fleet, tmp_path: Path) -> None:
    member = fleet.members()[1]
    assert member.upstream.name == "ui-1"
    assert member.upstream.socket_path == ui_socket(tmp_path, 1, member.generation)
    assert (member.upstream.handoff_path or "").endswith(f"/ui-1.{member.generation}.give")


def seen(fleet: Fleet) -> list[tuple[int, bool, bool]]:
    return [(member.slot, member.serves, member.welcomes) for member in fleet.members()]


def test_who_serves_and_who_welcomes(fleet: Fleet, places: list[Place]) -> None:
    assert seen(fleet) == [(0, False, False), (1, False, False)]
    for place in places:
        place.enter(State.READY)
    assert seen(fleet) == [(0, True, True), (1, True, True)]
    places[0].enter(State.DRAINING)
    places[1].row[COLUMN["beat_ns"]] = time.monotonic_ns() - 10 * 10**9
    assert seen(fleet) == [(0, True, False), (1, False, False)]
    assert [(it.stuck, it.detail) for it in fleet.members()] == [
        (False, "draining"),
        (True, "its event loop stands still"),
    ]


def test_a_worker_that_takes_long_to_start_is_not_stuck(fleet: Fleet, places: list[Place]) -> None:
    places[0].row[COLUMN["beat_ns"]] = 0
    assert [(it.stuck, it.detail) for it in fleet.members()] == [(False, "starting")] * 2


def test_a_slot_whose_worker_died_is_still_a_slot(fleet: Fleet, places: list[Place]) -> None:
    places[0].enter(State.GONE)
    assert fleet.members()[0].detail == "gone"
    assert seen(fleet)[0] == (0, False, False)


def test_load_is_what_the_worker_says(fleet: Fleet, places: list[Place]) -> None:
    places[1].row[COLUMN["sockets"]] = 5
    assert [member.load for member in fleet.members()] == [0, 5]


def test_the_same_worker_is_the_same_upstream_and_its_successor_another(
    fleet: Fleet, places: list[Place], tmp_path: Path
) -> None:
    before = fleet.members()[0].upstream
    assert fleet.members()[0].upstream is before
    places[0].enter(State.GONE)
    found = fleet.members()[0].upstream
    assert found == before
    places[0].row[COLUMN["generation"]] = 99
    assert fleet.members()[0].upstream.socket_path == ui_socket(tmp_path, 0, 99)
    assert len(fleet._upstreams) == 2


def test_figures_are_of_gateways_too(fleet: Fleet) -> None:
    assert [record.name for record in fleet.figures()] == ["gateway-0", "ui-0", "ui-1"]


def test_what_this_gateway_counts_is_in_the_total(fleet: Fleet) -> None:
    fleet.tally().count("api", "GET")
    assert sum(fleet.tallies().total()) == 1

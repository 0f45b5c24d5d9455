from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxlit import FluxlitSettings
from fluxlit.exceptions import StartupError
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.board import Board, Record, State
from fluxlit.workers.care import RETRY_SECONDS, STUCK_GRACE, Caretaker, Limits
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import Reason
from fluxlit.workers.pool import WorkerPool

MIB = 1 << 20
LIMITS = Limits(age=3600, resident=500 * MIB, silence=30)


def record(
    *, state: State = State.READY, age: float = 100, quiet: float = 0, mib: int = 100
) -> tuple[Record, int]:
    """A worker as the board tells of it, and the time of looking."""
    now = 10**13
    born, beat = now - int(age * 1e9), now - int(quiet * 1e9)
    return Record(state=state, born_ns=born, beat_ns=beat, resident=mib * MIB), now


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (record(), None),
        (record(quiet=29.9, mib=500, age=3599), None),
        (record(quiet=30.1), Reason.STUCK),
        (record(mib=501), Reason.MEMORY),
        (record(mib=501, age=9), None),
        (record(age=3601), Reason.AGE),
        (record(age=3601, mib=501, quiet=31), Reason.STUCK),
        (record(quiet=31, state=State.STARTING), None),
        (record(quiet=31, state=State.DRAINING), None),
        (record(quiet=31, state=State.GONE), None),
    ],
)
def test_limits_are_exceeded_by_more_than_they_say(
    found: tuple[Record, int], reason: Reason | None
) -> None:
    assert LIMITS.exceeded_by(*found) is reason


def test_without_limits_nothing_is_too_much() -> None:
    assert Limits().exceeded_by(*record(age=1e6, quiet=1e6, mib=1 << 20)) is None


def test_limits_are_those_of_the_settings() -> None:
    settings = FluxlitSettings(ui_max_rss_mb=700, ui_max_age_s=60, worker_stuck_timeout_s=9)
    assert Limits.of_ui(settings) == Limits(60, 700 * MIB, 9)
    assert Limits.of_gateway(settings) == Limits(silence=9)
    assert Limits.of_ui(settings, development=True) == Limits(60, 700 * MIB)
    assert Limits.of_ui(FluxlitSettings(worker_stuck_timeout_s=0)) == Limits()


def test_backoff_forgives_a_long_service_and_a_kill_from_outside() -> None:
    policy = Backoff(settled_after=30)
    assert policy.in_a_row(4, 1, served=1) == 5
    assert policy.in_a_row(4, -11, served=29) == 5
    assert policy.in_a_row(4, -11, served=31) == 1
    assert policy.in_a_row(4, -9, served=1) == 1
    assert policy.is_hopeless(8)
    assert not Backoff(attempts=None).is_hopeless(10**6)


class Replacing(WorkerPool):
    """Notes what it is asked to replace."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Reason, float]] = []
        self.fails = False

    async def replace(self, number: int, reason: Reason, grace: float) -> None:
        self.asked.append((number, reason, grace))
        if self.fails:
            raise StartupError("no room")


@pytest.fixture
def look(tmp_path: Path) -> Callable[[Replacing, int], None]:
    """Let a caretaker look at two workers, of which the second holds too much memory."""
    board = Board.create(tmp_path)
    for number, mib in enumerate((100, 900)):
        place = board.claim(WorkerKind.UI, number)
        place.row[list(Record.__slots__).index("resident")] = mib * MIB
        place.enter(State.READY)
    caretakers: dict[Replacing, Caretaker] = {}
    times = {"now": 0}
    born = board.records()[1].born_ns

    def at(pool: Replacing, seconds: int) -> None:
        times["now"] = born + seconds * 10**9
        keeper = caretakers.setdefault(
            pool,
            Caretaker(
                board, WorkerKind.UI, pool, Limits(resident=500 * MIB), 5.0, lambda: times["now"]
            ),
        )
        asyncio.run(keeper.look())

    return at


def test_who_exceeds_its_limits_is_replaced(look: Callable[[Replacing, int], None]) -> None:
    pool = Replacing()
    look(pool, 100)
    assert pool.asked == [(1, Reason.MEMORY, 5.0)]


def test_after_one_that_did_not_start_the_next_try_waits(
    look: Callable[[Replacing, int], None], caplog: pytest.LogCaptureFixture
) -> None:
    pool = Replacing()
    pool.fails = True
    look(pool, 100)
    look(pool, 101)
    assert len(pool.asked) == 1
    look(pool, 101 + int(RETRY_SECONDS))
    assert len(pool.asked) == 2
    assert "ui-1 goes on, as no other started: no room" in caplog.text
    assert "holds 900 MB of memory, and may hold 500" in caplog.text


def test_one_that_stands_still_gets_little_time(tmp_path: Path) -> None:
    board = Board.create(tmp_path)
    board.claim(WorkerKind.UI, 0).enter(State.READY)
    later = board.records()[0].beat_ns + 31 * 10**9
    pool = Replacing()
    keeper = Caretaker(board, WorkerKind.UI, pool, Limits(silence=30), 5.0, lambda: later)
    asyncio.run(keeper.look())
    assert pool.asked == [(0, Reason.STUCK, STUCK_GRACE)]

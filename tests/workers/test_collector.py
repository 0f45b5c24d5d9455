from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from fluxlit.workers.collector import (
    MIB,
    NEVER,
    Collector,
    Policy,
    Reason,
    freeze,
    own_full_collections,
)

POLICY = Policy(idle=1.0, growth=64 * MIB, limit=192 * MIB)


@pytest.mark.parametrize(
    ("waiting", "quiet", "grown", "expected"),
    [
        (False, 0.9, 0, None),
        (False, 1.0, 0, Reason.IDLE),
        (True, 9.0, 0, None),
        (False, 0.0, 64 * MIB - 1, None),
        (False, 0.0, 64 * MIB, Reason.GROWTH),
        (True, 0.0, 64 * MIB, None),
        (True, 0.0, 192 * MIB - 1, None),
        (True, 0.0, 192 * MIB, Reason.LIMIT),
    ],
)
def test_it_is_due_when_nobody_waits_or_memory_is_at_its_limit(
    waiting: bool, quiet: float, grown: int, expected: Reason | None
) -> None:
    assert POLICY.due(waiting=waiting, quiet=quiet, grown=grown) == expected


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


class Worker:
    """A worker whose time, memory and users a test decides."""

    def __init__(self) -> None:
        self.time = 100.0
        self.memory = 500 * MIB
        self.waiting = 0
        self.sessions = 0
        self.collector = Collector(
            POLICY,
            lambda: self.waiting,
            sessions=lambda: self.sessions,
            meter=lambda: self.memory,
            clock=lambda: self.time,
            later=lambda call: call(),
        )

    def leak(self) -> weakref.ref[Ring]:
        """Leave one ring behind, out of the young generation's reach."""
        ring = Ring()
        gc.collect(0)
        gc.collect(1)
        return weakref.ref(ring)


@pytest.fixture
def worker() -> Iterator[Worker]:
    thresholds = gc.get_threshold()
    gc.disable()
    try:
        yield Worker()
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.enable()


def test_an_idle_worker_is_collected_once_after_each_burst(worker: Worker) -> None:
    leaked = worker.leak()
    worker.collector.run_ended()
    worker.time += 0.5
    worker.collector.look()
    assert leaked() is not None
    worker.time += 0.5
    worker.collector.look()
    assert leaked() is None
    worker.time += 10
    worker.collector.look()
    assert worker.collector.counts == {Reason.IDLE: 1}


def test_a_worker_without_runs_is_left_alone(worker: Worker) -> None:
    worker.time += 10
    worker.collector.look()
    assert not worker.collector.counts


def test_growth_is_collected_at_the_end_of_a_run_unless_another_is_waited_for(
    worker: Worker,
) -> None:
    leaked = worker.leak()
    worker.memory += 100 * MIB
    worker.waiting = 1
    worker.collector.run_ended()
    assert leaked() is not None
    worker.waiting = 0
    worker.collector.run_ended()
    assert leaked() is None
    assert worker.collector.counts == {Reason.GROWTH: 1}


def test_growth_to_the_limit_is_collected_also_in_runs_that_never_end(worker: Worker) -> None:
    leaked = worker.leak()
    worker.waiting = 8
    worker.memory += 200 * MIB
    worker.collector.look()
    assert leaked() is None
    assert worker.collector.counts == {Reason.LIMIT: 1}


def test_memory_that_is_in_use_is_not_collected_for_again_and_again(worker: Worker) -> None:
    worker.memory += 100 * MIB
    for _ in range(5):
        worker.collector.run_ended()
    assert worker.collector.counts == {Reason.GROWTH: 1}


def test_what_an_idle_moment_froze_is_found_when_it_has_become_garbage(worker: Worker) -> None:
    ring = Ring()
    leaked = weakref.ref(ring)
    worker.collector.run_ended()
    worker.time += 2
    worker.collector.look()
    assert gc.get_freeze_count() > 0
    del ring
    worker.memory += 100 * MIB
    worker.collector.run_ended()
    assert leaked() is None


def test_when_the_last_session_is_over_everything_is_looked_at_once(worker: Worker) -> None:
    ring = Ring()
    leaked = weakref.ref(ring)
    worker.sessions = 2
    worker.collector.run_ended()
    worker.time += 2
    worker.collector.look()  # which freezes the ring
    for worker.sessions in (2, 1):
        worker.collector.look_for_vacancy()
    del ring
    assert worker.collector.counts == {Reason.IDLE: 1}
    worker.sessions = 0
    for _ in range(3):
        worker.collector.look_for_vacancy()
    assert leaked() is None
    assert worker.collector.counts == {Reason.IDLE: 1, Reason.VACANT: 1}
    assert gc.get_freeze_count() > 0  # what stays is out of the way again


def test_growth_adds_up_over_idle_moments(worker: Worker) -> None:
    for _ in range(3):
        worker.memory += 30 * MIB
        worker.collector.run_ended()
        worker.time += 2
        worker.collector.look()
    assert worker.collector.counts == {Reason.IDLE: 2, Reason.GROWTH: 1}


@pytest.mark.usefixtures("worker")
def test_python_collects_young_objects_only() -> None:
    young, middle, _ = gc.get_threshold()
    own_full_collections()
    assert gc.get_threshold()[:2] == (young, middle)
    assert gc.get_threshold()[2] in {NEVER, 0}  # Python 3.14 has no such threshold


def test_it_looks_by_itself_until_it_is_cancelled() -> None:
    async def main() -> None:
        looked = asyncio.Event()

        def waiting() -> int:
            looked.set()
            return 0

        collector = Collector(POLICY, waiting, meter=lambda: 0)
        looking = asyncio.ensure_future(collector.run())
        async with asyncio.timeout(5):
            await looked.wait()
        looking.cancel()
        assert isinstance((await asyncio.gather(looking, return_exceptions=True))[0], BaseException)

    asyncio.run(main())


def test_the_answer_of_a_run_leaves_before_anything_is_collected() -> None:
    """What is written together waits for two turns of the loop without anything new."""
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        looked_at = asyncio.Event()

        def looked() -> int:
            seen.append("look")
            looked_at.set()
            return 0

        collector = Collector(POLICY, looked, meter=lambda: 0)
        loop.call_soon(loop.call_soon, loop.call_soon, seen.append, "written")
        collector.run_ended()
        assert not seen
        async with asyncio.timeout(5):
            await looked_at.wait()

    asyncio.run(main())
    assert seen == ["written", "look"]


def test_freezing_takes_what_lives_out_of_sight() -> None:
    try:
        freeze()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()

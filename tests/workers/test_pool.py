from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.events import Reason
from fluxlit.workers.pool import WorkerPool


class FakeWorker:
    """A worker whose life is in the test's hands."""

    pids = itertools.count(1000)

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid = next(self.pids)
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.doors_closed = asyncio.Event()
        self.is_slow_to_end = False
        self.asked: list[str] = []

    def admit(self) -> None:
        self.asked.append("admit")

    async def wait(self) -> int:
        return await asyncio.shield(self.end)

    async def stop(self, grace: float) -> None:
        self.asked.append(f"stop {grace:g}")
        if self.is_slow_to_end:
            await self.end
        self.die(0)

    async def closed(self) -> None:
        await self.doors_closed.wait()

    async def abandon(self) -> None:
        self.asked.append("abandon")
        self.die(0)

    def kill(self) -> None:
        self.asked.append("kill")
        self.die(-9)

    def die(self, status: int) -> None:
        if not self.end.done():
            self.end.set_result(status)


class Bench:
    """Launches fake workers, keeps the time and notes every pause."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.born: list[FakeWorker] = []
        self.failures: dict[int, str] = {}
        """Number of a birth, from 0, to why it fails."""
        self.births = 0
        self.notes: list[Reason] = []
        self.on_birth: Callable[[FakeWorker], None] = lambda _: None

    async def launch(self, slot: int) -> FakeWorker:
        number, self.births = self.births, self.births + 1
        if number in self.failures:
            raise StartupError(self.failures[number])
        worker = FakeWorker(f"ui-{slot}")
        self.born.append(worker)
        self.on_birth(worker)
        return worker

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pool(self, size: int, backoff: Backoff | None = None) -> WorkerPool:
        return WorkerPool(
            size,
            self.launch,
            backoff=backoff,
            note=self.notes.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def run(scenario: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def main() -> Bench:
        bench = Bench()
        async with asyncio.timeout(10):
            await scenario(bench)
        return bench

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - each turn lets the pool take one step
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 0.0), (2, 0.5), (3, 1.0), (4, 2.0), (5, 4.0), (6, 4.0), (100, 4.0)]
)
def test_each_death_in_a_row_waits_longer_up_to_a_limit(deaths: int, seconds: float) -> None:
    assert Backoff().delay(deaths) == seconds


def test_all_slots_are_filled_and_listed_in_order() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(3)
        assert pool.workers == []
        await pool.start()
        assert [worker.name for worker in pool.workers] == ["ui-0", "ui-1", "ui-2"]

    run(scenario)


def test_a_failed_start_stops_the_others_and_says_the_one_reason() -> None:
    async def scenario(bench: Bench) -> None:
        bench.failures = {1: "no room"}
        with pytest.raises(StartupError, match=r"^no room$"):
            await bench.pool(2).start()

    assert [worker.asked for worker in run(scenario).born] == [["admit", "stop 0"]]


def test_a_dead_worker_is_replaced_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        bench.born[0].die(-11)
        await until(lambda: len(bench.born) == 2)
        await until(lambda: pool.workers == [bench.born[1]])
        keeping.cancel()

    bench = run(scenario)
    assert bench.pauses == [0.0]
    assert bench.notes == [Reason.DIED]


def test_workers_that_keep_dying_are_restarted_ever_later_and_then_given_up() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1, Backoff(delays=(0.0, 1.0, 5.0), attempts=5))
        await pool.start()
        bench.on_birth = lambda worker: worker.die(1)
        bench.born[0].die(1)
        with pytest.raises(StartupError, match="ui-0 died 5 times in a row"):
            await pool.keep()

    bench = run(scenario)
    assert bench.pauses == [0.0, 1.0, 5.0, 5.0]
    assert len(bench.born) == 5


def test_a_replacement_that_cannot_start_counts_as_a_death() -> None:
    async def scenario(bench: Bench) -> None:
        bench.failures = dict.fromkeys(range(1, 10), "broken")
        pool = bench.pool(1, Backoff(delays=(0.0, 1.0), attempts=3))
        await pool.start()
        bench.born[0].die(1)
        with pytest.raises(StartupError, match="died 3 times"):
            await pool.keep()

    bench = run(scenario)
    assert bench.pauses == [0.0, 1.0]
    assert bench.births == 3


def test_a_replacement_that_starts_after_failures_is_kept() -> None:
    async def scenario(bench: Bench) -> None:
        bench.failures = {1: "not yet", 2: "not yet"}
        pool = bench.pool(1)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        bench.born[0].die(1)
        await until(lambda: len(bench.born) == 2)
        assert not keeping.done()
        keeping.cancel()

    assert run(scenario).pauses == [0.0, 0.5, 1.0]


def test_a_long_life_forgives_earlier_deaths() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1, Backoff(delays=(0.0, 1.0), attempts=3, settled_after=30))
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        for _ in range(6):
            count = len(bench.born)
            bench.born[-1].die(1)
            await until(lambda count=count: len(bench.born) > count)  # type: ignore[misc]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            bench.now += 31
        assert not keeping.done()
        keeping.cancel()

    assert run(scenario).pauses == [0.0] * 6


def test_however_often_one_is_killed_another_comes_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        for count in range(1, 21):
            await until(lambda count=count: pool.workers == bench.born[count - 1 :])  # type: ignore[misc]
            bench.born[-1].kill()
            await until(lambda count=count: len(bench.born) > count)  # type: ignore[misc]
        keeping.cancel()

    assert set(run(scenario).pauses) == {0.0}


def test_slots_are_kept_apart() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(2)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        bench.born[1].die(1)
        await until(lambda: len(bench.born) == 3)
        await until(lambda: [w.name for w in pool.workers] == ["ui-0", "ui-1"])
        assert pool.workers[0] is bench.born[0]
        keeping.cancel()

    run(scenario)


def test_stopping_asks_all_with_the_same_grace_and_forgets_them() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(2)
        await pool.start()
        await pool.stop(7.0)
        assert pool.workers == []
        await pool.stop(7.0)

    assert [worker.asked for worker in run(scenario).born] == [
        ["admit", "stop 7"],
        ["admit", "stop 7"],
    ]


def test_killing_needs_no_loop_turn() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(2)
        await pool.start()
        pool.kill()
        assert [worker.asked for worker in bench.born] == [["admit", "kill"], ["admit", "kill"]]

    run(scenario)


def test_a_pool_grows_while_its_first_worker_starts_and_then_keeps_all() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await asyncio.gather(pool.start(), pool.grow(3))
        assert [worker.name for worker in pool.workers] == ["ui-0", "ui-1", "ui-2"]
        await pool.grow(2)
        assert (pool.size, len(pool.workers)) == (3, 3)
        keeping = asyncio.ensure_future(pool.keep())
        pool.workers[2].kill()
        await until(lambda: len(bench.born) == 4)
        keeping.cancel()

    run(scenario)


def test_a_pool_that_cannot_grow_stops_what_it_has() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        bench.failures = {1: "no room"}
        with pytest.raises(StartupError, match=r"^no room$"):
            await pool.grow(2)
        assert pool.workers == []

    assert [worker.asked for worker in run(scenario).born] == [["admit", "stop 0"]]


def test_a_worker_is_replaced_by_one_that_is_ready_before_it_goes() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(2)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        old = bench.born[1]
        bench.on_birth = lambda _: bench.born[-1].asked.append(f"beside {old.asked}")
        await pool.replace(1, Reason.MEMORY, grace=7.0)
        new = bench.born[2]
        assert pool.workers == [bench.born[0], new]
        await until(old.end.done)
        assert new.asked == ["beside ['admit']", "admit"]
        assert old.asked == ["admit", "stop 7"]
        bench.on_birth = lambda _: None
        new.die(1)  # the pool keeps the new one from now on
        await until(lambda: len(bench.born) == 4)
        keeping.cancel()

    assert run(scenario).notes == [Reason.MEMORY, Reason.DIED]


def test_a_takeover_is_complete_when_the_old_one_accepts_nobody_any_more() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        old = bench.born[0]
        old.is_slow_to_end = True
        await pool.taken_over()  # nobody was replaced
        await pool.replace(0, Reason.RELOAD, grace=7.0)
        taking_over = asyncio.ensure_future(pool.taken_over())
        done, _ = await asyncio.wait({taking_over}, timeout=0.05)
        assert not done
        old.doors_closed.set()
        await taking_over
        assert not old.end.done()
        old.die(0)

    run(scenario)


def test_a_replaced_one_that_hangs_does_not_hold_a_takeover_up() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        bench.born[0].is_slow_to_end = True
        await pool.replace(0, Reason.RELOAD, grace=7.0)
        await pool.taken_over(within=0.01)
        bench.born[0].die(-9)

    run(scenario)


def test_a_successor_that_does_not_start_leaves_the_old_one_in_service() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        bench.failures = {1: "syntax error"}
        with pytest.raises(StartupError, match="syntax error"):
            await pool.replace(0, Reason.RELOAD, grace=7.0)
        assert pool.workers == [bench.born[0]]
        assert bench.born[0].asked == ["admit"]

    assert run(scenario).notes == [Reason.NOT_STARTED]


def test_a_successor_goes_again_when_what_it_waited_for_fails() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        with pytest.raises(StartupError, match="the other one"):
            async with pool.successor(0, Reason.RELOAD, 7.0):
                raise StartupError("the other one")
        assert pool.workers == [bench.born[0]]
        assert [worker.asked for worker in bench.born] == [["admit"], ["abandon"]]

    run(scenario)


def test_one_that_dies_while_its_successor_starts_gets_no_second_one() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        keeping = asyncio.ensure_future(pool.keep())
        async with pool.successor(0, Reason.AGE, 7.0):
            bench.born[0].die(1)
            await until(lambda: bench.pauses == [0.0])
        for _ in range(10):
            await asyncio.sleep(0)
        assert pool.workers == [bench.born[1]]
        assert len(bench.born) == 2
        keeping.cancel()

    run(scenario)


def test_a_reload_does_not_wait_for_one_that_keeps_failing() -> None:
    async def scenario(bench: Bench) -> None:
        bench.failures = {1: "broken", 2: "broken"}
        pool = bench.pool(1)
        await pool.start()
        mended = asyncio.Event()

        async def pause(seconds: float) -> None:
            bench.pauses.append(seconds)
            await (mended.wait() if seconds else asyncio.sleep(0))

        pool._sleep = pause
        keeping = asyncio.ensure_future(pool.keep())
        bench.born[0].die(1)
        await until(lambda: bench.pauses == [0.0, 0.5])
        bench.failures = {}
        await pool.replace(0, Reason.RELOAD, grace=1.0)
        assert pool.workers == [bench.born[1]]
        mended.set()
        await asyncio.sleep(0)
        assert len(bench.born) == 2
        keeping.cancel()

    run(scenario)


def test_stopping_waits_for_those_on_their_way_out_and_killing_reaches_them() -> None:
    async def scenario(bench: Bench) -> None:
        pool = bench.pool(1)
        await pool.start()
        old = bench.born[0]

        async def stop(grace: float) -> None:
            old.asked.append(f"stop {grace:g}")
            await old.wait()

        old.stop = stop  # type: ignore[method-assign]
        await pool.replace(0, Reason.AGE, grace=30.0)
        stopping = asyncio.ensure_future(pool.stop(30.0))
        await until(bench.born[1].end.done)
        await asyncio.sleep(0)
        assert not stopping.done()
        stopping.cancel()
        await asyncio.sleep(0)
        pool.kill()
        assert old.asked == ["admit", "stop 30", "kill"]
        await pool.stop(0.0)

    run(scenario)


@pytest.mark.parametrize(("wanted", "slots"), [(0, []), (1, [0]), (3, [0, 1, 2])])
def test_as_many_start_as_are_wanted_once_that_is_known(wanted: int, slots: list[int]) -> None:
    async def scenario() -> None:
        bench, begun, known = Bench(), asyncio.Event(), asyncio.Event()
        bench.on_birth = lambda _: begun.set()

        async def size() -> int:
            await known.wait()
            return wanted

        pool = WorkerPool(1, bench.launch)
        starting = asyncio.create_task(pool.start_for(size()))
        await begun.wait()
        assert bench.births == 1, "the first one is not kept waiting"
        known.set()
        await starting
        assert pool.size == wanted
        assert [worker.name for worker in pool.workers] == [f"ui-{slot}" for slot in slots]
        assert bench.born[0].asked == (["admit"] if wanted else ["admit", "stop 0"])

    asyncio.run(scenario())

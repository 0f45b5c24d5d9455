from __future__ import annotations

import asyncio
import gc

from fluxlit.workers.collector import IdleCollector, freeze


class Scene:
    """A count of messages, and how often garbage was collected."""

    def __init__(self) -> None:
        self.count = 5
        self.collected = 0
        self.collector = IdleCollector(lambda: self.count, collect=self.collect)

    def collect(self) -> None:
        self.collected += 1

    def ticks(self, *growth: int) -> list[int]:
        """Let so many messages pass before each look; return the collections after each."""
        seen = []
        for more in growth:
            self.count += more
            self.collector.tick()
            seen.append(self.collected)
        return seen


def test_an_idle_start_collects_nothing() -> None:
    assert Scene().ticks(0, 0, 0) == [0, 0, 0]


def test_it_collects_once_after_each_burst_and_never_during_one() -> None:
    assert Scene().ticks(3, 1, 4, 0, 0, 0, 2, 0, 0) == [0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_it_looks_by_itself_until_it_is_cancelled() -> None:
    scene = Scene()

    async def main() -> None:
        running = asyncio.ensure_future(scene.collector.run())
        await asyncio.sleep(0)
        running.cancel()
        assert isinstance((await asyncio.gather(running, return_exceptions=True))[0], BaseException)

    asyncio.run(main())


def test_freezing_takes_what_lives_out_of_sight() -> None:
    try:
        freeze()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()

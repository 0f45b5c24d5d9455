from __future__ import annotations

import asyncio
import sys

import pytest

from fluxlit.workers import spare
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.spare import Spare

pytestmark = pytest.mark.integration


def test_one_waits_and_another_follows_when_it_was_taken_or_has_died(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spare, "PAUSE", 0.0)

    async def main() -> None:
        reserve = Spare(WorkerKind.GATEWAY)
        reserve.learn(["colorsys"])
        assert reserve.take().pid == 0  # whoever comes too early starts one
        keeping = asyncio.ensure_future(reserve.keep())
        async with asyncio.timeout(30):
            first = await taken(reserve)
            assert first.returncode is None
            second = await taken(reserve)
            assert second.pid not in {0, first.pid}
            for child in (first, second):
                assert await child.end(10.0)
            await reserve.close()
        keeping.cancel()
        assert reserve.take().pid == 0

    asyncio.run(main())


async def taken(reserve: Spare):  # type: ignore[no-untyped-def]
    while (child := reserve.take()).pid == 0:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.02)
    return child


def test_without_room_for_a_process_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "PAUSE", 0.0)
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    async def main() -> int:
        reserve = Spare(WorkerKind.GATEWAY)
        keeping = asyncio.ensure_future(reserve.keep())
        await asyncio.sleep(0.05)
        keeping.cancel()
        return reserve.take().pid

    assert asyncio.run(main()) == 0


class Slow(Child):
    """A child whose birth takes until it is told to go on."""

    born: list[Slow]
    go_on: asyncio.Event

    async def spawn(self) -> None:
        self.born.append(self)
        await self.go_on.wait()

    def tell(self, message: object, sockets: object = ()) -> None:
        pass


def test_a_child_that_is_being_born_is_nobody_s_spare_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxlit.workers.spare.Child", Slow)

    async def main() -> None:
        Slow.born, Slow.go_on = [], asyncio.Event()
        spare = Spare(WorkerKind.GATEWAY)
        keeping = asyncio.ensure_future(spare.keep())
        while not Slow.born:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        taken = spare.take()
        assert taken not in Slow.born  # else whoever took it would spawn it once more
        Slow.go_on.set()
        while (kept := spare.take()) not in Slow.born:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        assert kept is Slow.born[0]
        keeping.cancel()
        await asyncio.wait({keeping})

    asyncio.run(main())

from __future__ import annotations

import asyncio

import pytest

from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.spare import Spare


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
        while not Slow.born:
            await asyncio.sleep(0.01)
        taken = spare.take()
        assert taken not in Slow.born  # else whoever took it would spawn it once more
        Slow.go_on.set()
        while (kept := spare.take()) not in Slow.born:
            await asyncio.sleep(0.01)
        assert kept is Slow.born[0]
        keeping.cancel()
        await asyncio.wait({keeping})

    asyncio.run(main())

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import psutil
import pytest

from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.spare import Spare

pytestmark = pytest.mark.integration


def run(scenario: Callable[[Spare], Awaitable[None]]) -> None:
    async def main() -> None:
        spare = Spare(WorkerKind.GATEWAY)
        try:
            async with asyncio.timeout(20):
                await scenario(spare)
        finally:
            await spare.discard()

    asyncio.run(main())
    assert not psutil.Process().children()


async def waiting(spare: Spare) -> Child:
    spare.refill()
    while spare._child is None:  # noqa: ASYNC110 - another task spawns it
        await asyncio.sleep(0.01)
    return spare._child


def test_the_one_that_waits_is_taken_once() -> None:
    async def scenario(spare: Spare) -> None:
        child = await waiting(spare)
        spare.refill()
        assert spare.take() is child
        assert spare.take().pid == 0
        await child.end(0)

    run(scenario)


def test_one_that_died_while_it_waited_is_not_given_out() -> None:
    async def scenario(spare: Spare) -> None:
        child = await waiting(spare)
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        spare.refill()
        while spare._child is child:  # noqa: ASYNC110 - another task spawns it
            await asyncio.sleep(0.01)
        other = spare.take()
        assert other is not child
        await other.end(0)
        spare.refill()

    run(scenario)

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

import pytest

from fluxlit.exceptions import UpstreamBusy
from fluxlit.gateway.admission import Admission, Turn


async def starts(waiting: Awaitable[None]) -> asyncio.Future[None]:
    """Let something run as far as it comes by itself."""
    task = asyncio.ensure_future(waiting)
    await asyncio.sleep(0)
    return task


def test_without_a_limit_all_come_in() -> None:
    async def main() -> None:
        admission = Admission(0, 0.01)
        for _ in range(1000):
            await admission.enter("a")
        admission.leave("a")

    asyncio.run(main())


def test_the_limit_is_exact_and_what_is_over_it_is_told_in_time() -> None:
    async def main() -> None:
        admission = Admission(2, 0.01)
        await admission.enter("a")
        await admission.enter("b")
        with pytest.raises(UpstreamBusy):
            await admission.enter("c")
        admission.leave("a")
        await admission.enter("c")

    asyncio.run(main())


def test_one_client_never_has_all_places_and_does_not_hold_others_up() -> None:
    async def main() -> None:
        admission = Admission(8, 10)
        greedy = [await starts(admission.enter("greedy")) for _ in range(100)]
        assert sum(task.done() for task in greedy) == 6
        for _ in range(2):  # although 94 have waited longer
            await asyncio.wait_for(admission.enter("honest"), 1)
        admission.leave("honest")
        assert sum(task.done() for task in greedy) == 6
        admission.leave("greedy")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sum(task.done() for task in greedy) == 7
        for task in greedy:
            task.cancel()
        await asyncio.wait(greedy)

    asyncio.run(main())


def test_those_who_wait_come_in_in_their_order() -> None:
    async def main() -> None:
        admission = Admission(1, 10)
        order: list[str] = []

        async def visit(name: str) -> None:
            await admission.enter(name)
            order.append(name)
            await asyncio.sleep(0)
            admission.leave(name)

        await asyncio.gather(*(visit(name) for name in "abcde"))
        assert order == list("abcde")

    asyncio.run(main())


def test_a_place_is_not_lost_with_whoever_is_called_and_leaves_in_one_moment() -> None:
    async def main() -> None:
        admission = Admission(1, 10)
        await admission.enter("a")
        waiting = await starts(admission.enter("b"))
        admission.leave("a")
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(admission.enter("c"), 1)

    asyncio.run(main())


def test_a_turn_is_given_back_once() -> None:
    async def main() -> None:
        admission = Admission(1, 0.01)
        first, second = Turn(admission, "a"), Turn(admission, "b")
        await first.take()
        await first.take()
        first.give_back()
        first.give_back()
        await second.take()
        with pytest.raises(UpstreamBusy):
            await first.take()

    asyncio.run(main())


def test_a_place_that_comes_free_as_the_first_in_line_gives_up_goes_to_the_next() -> None:
    async def main() -> None:
        admission = Admission(1, 10)
        await admission.enter("a")
        first = await starts(admission.enter("b"))
        second = await starts(admission.enter("c"))
        first.cancel()
        admission.leave("a")  # before the one who gives up has run
        await asyncio.wait_for(second, 1)
        assert first.cancelled()

    asyncio.run(main())

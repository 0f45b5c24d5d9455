"""A rolling replacement: the code is loaded anew, and nobody is turned away meanwhile.

First one worker of each kind has to become ready; they get into service together, or none does and
the old version serves on. Then the others follow one by one, so that a service needs room for one
worker more of each kind and not for twice as many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fluxlit.exceptions import StartupError
from fluxlit.workers.events import Reason
from fluxlit.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Part:
    """The workers of one kind, as they are to be replaced.

    Attributes:
        pool: Them.
        grace: Seconds that a replaced one has to end.
    """

    pool: WorkerPool
    grace: float


async def roll(parts: Sequence[Part], reason: Reason = Reason.RELOAD) -> None:
    """Replace all workers; at its end whoever connects reaches a new one.

    Args:
        parts: The kinds. Of the first worker of each the last kind's becomes ready last: the one
            that visitors reach as soon as it is.
        reason: Why.

    Raises:
        StartupError: The new version did not start. If that was its first worker, the old version
            serves on as it was; else some workers are new, and the message says so.
    """
    async with AsyncExitStack() as stack:
        for part in parts:
            await stack.enter_async_context(part.pool.successor(0, reason, part.grace))
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(_replace_rest(part, reason))
        for part in parts:
            await part.pool.taken_over()
    except* StartupError as failures:
        cause = failures.exceptions[0]
        msg = f"some workers are of the new version, others could not be replaced: {cause}"
        raise StartupError(msg, remedy="correct the cause and reload again") from cause


async def _replace_rest(part: Part, reason: Reason) -> None:
    for number in range(1, part.pool.size):
        await part.pool.replace(number, reason, part.grace)

"""Several things at once, of which the first failure is the one that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from fluxlit.exceptions import StartupError

Coro = Coroutine[Any, Any, object]


async def all_of(*jobs: Coro) -> None:
    """Run several things; if one fails, end the others and raise the failure.

    Raises:
        StartupError: The first failure.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except* StartupError as failures:
        raise failures.exceptions[0] from None

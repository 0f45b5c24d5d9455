"""Reruns: how long one takes, and how many eight tabs get together."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack

from benchmarks.drivers.load import Address, WrongAnswerError
from benchmarks.drivers.session import Tab, open_tab

_WARM_UP = 5
_UNMEASURED = _WARM_UP + 1  # opening a tab runs its page once
_FEWEST = 10


async def latency(
    address: Address, seconds: float, *, pause: float = 0.0, at_least: int = 0
) -> dict[str, float]:
    """Move one tab's slider again and again.

    Args:
        address: Where the page is.
        seconds: How long to go on.
        pause: How long the user looks at the page before the next move.
        at_least: Bytes that every run must bring.

    Returns:
        ``p50`` and ``p95`` in seconds; ``count``: all runs, those before the clock included.
    """
    durations: list[float] = []
    async with open_tab(address) as tab:
        await _warm_up(tab)
        value = 1000
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or len(durations) < _FEWEST:
            value += 1
            run = await tab.slide(value)
            if run.size < at_least:
                msg = f"a run of {run.size} bytes cannot hold the frame"
                raise WrongAnswerError(msg)
            durations.append(run.seconds)
            if pause:
                await asyncio.sleep(pause)
    percentiles = statistics.quantiles(durations, n=20, method="inclusive")
    count = float(len(durations) + _UNMEASURED)
    return {"p50": statistics.median(durations), "p95": percentiles[18], "count": count}


async def throughput(address: Address, seconds: float, tabs: int) -> dict[str, float]:
    """Move the sliders of several tabs at once, each as soon as its last run has ended.

    Returns:
        ``rate``: finished and checked reruns per second over all tabs; ``count``: all runs, those
        before the clock included.
    """
    async with AsyncExitStack() as stack:
        opened = [await open_warm_tab(stack, address) for _ in range(tabs)]
        started = time.monotonic()
        deadline = started + seconds
        counts = await asyncio.gather(
            *(slide_until(tab, deadline, 1000 * number) for number, tab in enumerate(opened, 1))
        )
        rate = sum(counts) / (time.monotonic() - started)
        return {"rate": rate, "count": float(sum(counts) + tabs * _UNMEASURED)}


async def reported(address: Address, seconds: float) -> dict[str, float]:
    """Move one tab's slider, and collect what the page itself has measured in each run.

    Returns:
        ``p50`` in seconds: the median of the medians that the page has shown.
    """
    shown: list[float] = []
    async with open_tab(address) as tab:
        await _warm_up(tab)
        value = 1000
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or len(shown) < _FEWEST:
            value += 1
            run = await tab.slide(value)
            shown += [float(text[4:]) for text in run.texts() if text.startswith("p50=")]
    return {"p50": statistics.median(shown)}


async def open_warm_tab(stack: AsyncExitStack, address: Address) -> Tab:
    """Open a tab that the stack will close, and rerun it until all is loaded."""
    tab = await stack.enter_async_context(open_tab(address))
    await _warm_up(tab)
    return tab


async def _warm_up(tab: Tab) -> None:
    for value in range(1, _WARM_UP + 1):
        await tab.slide(value)


async def slide_until(tab: Tab, deadline: float, value: int) -> int:
    """Return how many reruns the tab got before the deadline; distinct values tell tabs apart."""
    count = 0
    while time.monotonic() < deadline:
        count += 1
        await tab.slide(value + count)
    return count

"""A steady pulse of single requests to the API while pages are kept busy.

The pulse beats in a process of its own, so that the tabs' work does not stretch its figures. Each
latency counts from when the request was due, not from when it could be sent: a stall is seen by all
the requests that fall into it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import sys
import time
from contextlib import AsyncExitStack

from benchmarks.drivers.load import Address, WrongAnswerError, check_api
from benchmarks.drivers.reruns import open_warm_tab, slide_until

INTERVAL = 0.01
"""Seconds between two requests."""


async def beside_tabs(address: Address, path: str, seconds: float, tabs: int) -> dict[str, float]:
    """Ask the API while several tabs rerun their page as fast as they can.

    Returns:
        ``p50`` and ``p99`` of the API's answers, in seconds.

    Raises:
        WrongAnswerError: The API or a page answered wrongly.
    """
    check_api(address, path)
    async with AsyncExitStack() as stack:
        opened = [await open_warm_tab(stack, address) for _ in range(tabs)]
        deadline = time.monotonic() + seconds
        sliding = asyncio.gather(
            *(slide_until(tab, deadline, 1000 * number) for number, tab in enumerate(opened, 1))
        )
        figures, _ = await asyncio.gather(_pulse(address, path, seconds), sliding)
    return figures


async def _pulse(address: Address, path: str, seconds: float) -> dict[str, float]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(address.port), path, str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await program.communicate()
    if program.returncode:
        msg = f"GET {path} failed beside busy pages"
        raise WrongAnswerError(msg)
    figures: dict[str, float] = json.loads(printed)
    return figures


def beat(address: Address, path: str, seconds: float) -> list[float]:
    """Send one request every :data:`INTERVAL` on a kept connection; return the latencies."""
    latencies: list[float] = []
    connection = address.connect()
    due = time.perf_counter()
    end = due + seconds
    while due < end:
        time.sleep(max(0.0, due - time.perf_counter()))
        _ask(connection, path)
        latencies.append(time.perf_counter() - due)
        due += INTERVAL
    connection.close()
    return latencies


def _ask(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        msg = f"GET {path} answered {answer.status}"
        raise WrongAnswerError(msg)


def main() -> None:
    port, path, seconds = sys.argv[1:]
    latencies = beat(Address(int(port)), path, float(seconds))
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    print(json.dumps({"p50": percentiles[49], "p99": percentiles[98]}))


if __name__ == "__main__":
    main()

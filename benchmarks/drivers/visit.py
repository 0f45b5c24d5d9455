"""A first visit, by a real Chromium with an empty cache behind a line of 20 Mbit/s.

The browser is the build without windows: the other one draws a toolbar for each new page, with the
two cores that the page needs.
"""

from __future__ import annotations

import time

from playwright.async_api import CDPSession, Page, async_playwright

from benchmarks.drivers.load import Address
from benchmarks.environment import CHROMIUM

MIB = 1024 * 1024
LINE = {
    "offline": False,
    "latency": 20,  # milliseconds
    "downloadThroughput": 20_000_000 / 8,  # bytes per second
    "uploadThroughput": 20_000_000 / 8,
}
# Chromium's own traffic must not be counted, nor be waited for.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


async def first_load(address: Address) -> dict[str, float]:
    """Open the page until it shows its text.

    Returns:
        ``files`` loaded, ``mebibytes`` that came over the wire, and ``text``: the seconds until
        the page's text was seen.

    Raises:
        MissingToolError: There is no Chromium.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM.path(), args=list(FLAGS)
        )
        try:
            page = await browser.new_page()
            return await _visit(page, await page.context.new_cdp_session(page), address)
        finally:
            await browser.close()


async def _visit(page: Page, tools: CDPSession, address: Address) -> dict[str, float]:
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(_wire_size(event)))
    await tools.send("Network.enable")
    await tools.send("Network.emulateNetworkConditions", LINE)
    started = time.perf_counter()
    await page.goto(address.origin, wait_until="commit")
    await page.get_by_text("value=0").wait_for(timeout=60_000)
    seconds = time.perf_counter() - started
    return {"files": float(len(sizes)), "mebibytes": sum(sizes) / MIB, "text": seconds}


def _wire_size(event: dict[str, float]) -> float:
    return float(event["encodedDataLength"])

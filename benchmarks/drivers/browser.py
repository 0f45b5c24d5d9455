"""What a first visit loads, counted by a real Chromium with an empty cache."""

from __future__ import annotations

import shutil

from playwright.async_api import async_playwright

from benchmarks.drivers.load import Address
from benchmarks.environment import MissingToolError

MIB = 1024 * 1024


async def first_load(address: Address) -> dict[str, float]:
    """Open the page until it shows its text.

    Returns:
        ``files`` loaded and ``mebibytes`` that came over the wire.

    Raises:
        MissingToolError: There is no Chromium.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        msg = "chromium is missing: apt-get install chromium"
        raise MissingToolError(msg)
    sizes: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = await browser.new_page()
            tools = await page.context.new_cdp_session(page)
            await tools.send("Network.enable")
            tools.on("Network.loadingFinished", lambda event: sizes.append(_wire_size(event)))
            await page.goto(address.origin)
            await page.get_by_text("value=0").wait_for(timeout=30_000)
            return {"files": float(len(sizes)), "mebibytes": sum(sizes) / MIB}
        finally:
            await browser.close()


def _wire_size(event: dict[str, float]) -> float:
    return float(event["encodedDataLength"])

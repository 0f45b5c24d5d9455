"""A real worker whose pages leak: memory stays bounded, and the collector says what it did."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
from benchmarks.drivers.load import Address
from benchmarks.drivers.session import Tab, open_tab
from benchmarks.processes import PeakMemory
from tests.runtime.harness import until, workers
from tests.support.service import running

pytestmark = pytest.mark.integration

APP = """
import gc
from typing import Any
from fluxlit import FluxLit

app = FluxLit()

class Leak:
    def __init__(self) -> None:
        self.me = self
        self.block = bytearray(b"x") * 5_000_000

@app.page("/")
def home(st: Any) -> None:
    value = st.slider("Value", 0, 1_000_000, 0)
    leak = Leak()
    gc.collect(1)  # what has lived through this is old, and only a full collection finds it
    st.text(f"value={value}")
"""

RERUNS = 2000
TABS = 8
MOST_GROWTH_MIB = 400


def test_two_thousand_leaking_reruns_stay_bounded_without_an_idle_moment(tmp_path: Path) -> None:
    """Ten gigabytes of garbage in cycles, from tabs that never pause and never wait together."""
    (tmp_path / "app.py").write_text(APP)
    with running("run", "--log-level", "debug", directory=tmp_path) as service:
        ui, address = workers(service)["ui"], Address(service.port)
        asyncio.run(_rerun_once(address))
        until(lambda: _collections(service.output())["idle"], what="a collection when idle")
        growth = asyncio.run(_rerun_all(address, ui))
        assert growth < MOST_GROWTH_MIB
        assert _collections(service.output()).keys() <= {"idle", "growth", "limit"}


async def _rerun_once(address: Address) -> None:
    async with open_tab(address) as tab:
        await tab.slide(1)


async def _rerun_all(address: Address, ui: psutil.Process) -> float:
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(open_tab(address)) for _ in range(TABS)]
        with PeakMemory([ui]) as peak:
            await asyncio.gather(*map(_slide, tabs))
        return peak.growth_mib or 0.0


async def _slide(tab: Tab) -> None:
    for value in range(1, RERUNS // TABS + 1):
        await tab.slide(value)


def _collections(output: str) -> Counter[str]:
    return Counter(re.findall(r"collected \d+ objects in [\d.]+ ms \((\w+)\)", output))

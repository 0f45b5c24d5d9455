"""One turn of each case: the work that is put on a contestant, and the figures that come of it."""

from __future__ import annotations

import time
from typing import Self

from benchmarks.arena import Running
from benchmarks.case import Effort
from benchmarks.drivers import edits, files, load, pulse, reruns, transfer, visit
from benchmarks.drivers.session import open_tab

FRAME_BYTES = 6_400_000
TABS = 8


class _CpuPerUnit:
    """Measures the processor time that a contestant's processes use for one request or rerun.

    It tells cost apart from waiting, and other work on the machine hardly touches it.
    """

    def __init__(self, running: Running) -> None:
        self._tree = running.tree
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._seconds = -self._tree.cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds += self._tree.cpu_seconds()

    def add_to(self, figures: dict[str, float]) -> dict[str, float]:
        """Return the figures with ``cpu``, the seconds for each of their ``count``."""
        return {**figures, "cpu": self._seconds / figures["count"]}


async def api(running: Running, effort: Effort) -> dict[str, float]:
    path = running.contestant.api or ""
    with _CpuPerUnit(running) as cpu:
        figures = load.throughput(running.address, path, effort.api)
    return cpu.add_to(figures)


async def rerun(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.latency(running.address, effort.reruns)
    return cpu.add_to(figures)


async def rerun_paused(running: Running, effort: Effort) -> dict[str, float]:
    return await reruns.latency(running.address, effort.reruns, pause=0.25)


async def frame(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.latency(running.address, effort.frame, at_least=FRAME_BYTES)
    return cpu.add_to(figures)


async def tabs(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.throughput(running.address, effort.tabs, TABS)
    return cpu.add_to(figures)


async def start(running: Running, effort: Effort) -> dict[str, float]:  # noqa: ARG001 - Measure
    figures = {"ready": running.ready_seconds, "cpu": running.tree.cpu_seconds()}
    if running.contestant.ui:
        async with open_tab(running.address):
            figures["page"] = time.perf_counter() - running.launched
    return figures


async def upload(running: Running, effort: Effort) -> dict[str, float]:
    return await transfer.upload(running.address, effort.transfer, running.gateway())


async def download(running: Running, effort: Effort) -> dict[str, float]:
    return await transfer.download(running.address, effort.transfer, running.gateway())


async def first_load(running: Running, effort: Effort) -> dict[str, float]:  # noqa: ARG001 - Measure
    return await visit.first_load(running.address)


async def index(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = files.index_rate(running.address, effort.api)
    return cpu.add_to(figures)


async def asset(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = files.asset_rate(running.address, effort.api)
    return cpu.add_to(figures)


async def api_beside_busy_pages(running: Running, effort: Effort) -> dict[str, float]:
    path = running.contestant.api or ""
    return await pulse.beside_tabs(running.address, path, effort.tabs, TABS)


async def page_call(running: Running, effort: Effort) -> dict[str, float]:
    return await reruns.reported(running.address, effort.reruns)


async def edit(running: Running, effort: Effort) -> dict[str, float]:  # noqa: ARG001 - Measure
    path = (running.contestant.api or "").removesuffix("/users")
    return await edits.latency(running.address, path, running.directory)

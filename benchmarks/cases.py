"""What is measured, against what it is compared, and what the project promises of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Self

from benchmarks.arena import Running
from benchmarks.contestants import Contestant
from benchmarks.drivers import load, reruns, transfer
from benchmarks.drivers.browser import first_load
from benchmarks.drivers.session import open_tab
from benchmarks.measures import Comparison, Goal, Metric

FRAME_BYTES = 6_400_000
TABS = 8


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a turn is: seconds for the timed cases, MiB for the transfers."""

    api: float
    reruns: float
    frame: float
    tabs: float
    transfer: int


# Many short turns rather than few long ones: what is compared should lie close together in time.
FULL = Effort(api=3, reruns=3, frame=4, tabs=4, transfer=300)
QUICK = Effort(api=2, reruns=1.5, frame=2, tabs=2, transfer=300)

Measure = Callable[[Running, Effort], Awaitable[dict[str, float]]]


class Lifetime(Enum):
    """How long a contestant's processes serve a case."""

    CASE = "all contestants start before the first turn and stay; the others idle"
    TURN = "each turn starts its contestant, alone on the machine"


class Needs(Enum):
    """What a contestant must offer to take part."""

    API = "api"
    UI = "ui"
    ANY = "any"

    def met_by(self, contestant: Contestant) -> bool:
        """Return whether the contestant can take part."""
        has = {Needs.API: contestant.api is not None, Needs.UI: contestant.ui}
        return has.get(self, True)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        name: Used on the command line and in the results.
        title: What is measured, for the table.
        baseline: The contestant that the others are compared with.
        metrics: The figures that ``measure`` returns, and how to read them.
        measure: One turn.
        page: The page that the contestants serve.
        needs: What a contestant must offer.
        lifetime: When contestants are started.
        most_rounds: Enough rounds for this case.
    """

    name: str
    title: str
    baseline: str
    metrics: tuple[Metric, ...]
    measure: Measure
    page: str = "small"
    needs: Needs = Needs.UI
    lifetime: Lifetime = Lifetime.CASE
    most_rounds: int = 100


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


async def _api(running: Running, effort: Effort) -> dict[str, float]:
    path = running.contestant.api or ""
    with _CpuPerUnit(running) as cpu:
        figures = load.throughput(running.address, path, effort.api)
    return cpu.add_to(figures)


async def _rerun(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.latency(running.address, effort.reruns)
    return cpu.add_to(figures)


async def _rerun_paused(running: Running, effort: Effort) -> dict[str, float]:
    return await reruns.latency(running.address, effort.reruns, pause=0.25)


async def _frame(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.latency(running.address, effort.frame, at_least=FRAME_BYTES)
    return cpu.add_to(figures)


async def _tabs(running: Running, effort: Effort) -> dict[str, float]:
    with _CpuPerUnit(running) as cpu:
        figures = await reruns.throughput(running.address, effort.tabs, TABS)
    return cpu.add_to(figures)


async def _start(running: Running, effort: Effort) -> dict[str, float]:  # noqa: ARG001 - Measure
    figures = {"ready": running.ready_seconds, "cpu": running.tree.cpu_seconds()}
    if running.contestant.ui:
        async with open_tab(running.address):
            figures["page"] = time.perf_counter() - running.launched
    return figures


async def _upload(running: Running, effort: Effort) -> dict[str, float]:
    return await transfer.upload(running.address, effort.transfer, running.gateway())


async def _download(running: Running, effort: Effort) -> dict[str, float]:
    return await transfer.download(running.address, effort.transfer, running.gateway())


async def _first_load(running: Running, effort: Effort) -> dict[str, float]:  # noqa: ARG001 - Measure
    return await first_load(running.address)


def _at_least(limit: float) -> Goal:
    return Goal(limit, higher_is_better=True)


def _at_most(limit: float) -> Goal:
    return Goal(limit, higher_is_better=False)


_SECONDS = Metric("seconds", "duration")
_P95 = Metric("p95", "p95")
_CPU = Metric("cpu", "processor time")

CASES: tuple[Case, ...] = (
    Case(
        "api",
        "API throughput, 16 connections",
        "fastapi",
        (Metric("rate", "requests/s", goal=_at_least(0.92)), _CPU),
        _api,
        needs=Needs.API,
    ),
    Case(
        "rerun",
        "Small page, one tab, reruns without pause",
        "streamlit",
        (Metric("p50", "p50", goal=_at_most(0.35)), _P95, _CPU),
        _rerun,
    ),
    Case(
        "rerun-paused",
        "Small page, one tab, 0.25 s between reruns",
        "streamlit",
        (Metric("p50", "p50"), _P95),
        _rerun_paused,
    ),
    Case(
        "rerun-table",
        "Small page with a short table, one tab",
        "streamlit",
        (Metric("p50", "p50"), _P95, _CPU),
        _rerun,
        page="table",
    ),
    Case(
        "frame",
        "Page with a 6.4 MB data frame, one tab",
        "streamlit",
        (Metric("p50", "p50", goal=_at_most(0.6)), _P95, _CPU),
        _frame,
        page="frame",
    ),
    Case(
        "tabs",
        f"Small page, {TABS} tabs at once",
        "streamlit",
        (Metric("rate", "reruns/s"), _CPU),
        _tabs,
    ),
    Case(
        "start",
        "Start",
        "streamlit",
        (
            Metric("ready", "ready, s", Comparison.DIFFERENCE, goal=_at_most(0.5)),
            Metric("page", "first page, s", Comparison.DIFFERENCE),
            _CPU,
        ),
        _start,
        needs=Needs.ANY,
        lifetime=Lifetime.TURN,
    ),
    Case(
        "upload",
        "Upload of 300 MiB to the page",
        "streamlit",
        (Metric("growth", "gateway growth, MiB", Comparison.NONE, goal=_at_most(32)), _SECONDS),
        _upload,
        page="upload",
        lifetime=Lifetime.TURN,
        most_rounds=3,
    ),
    Case(
        "download",
        "Download of 300 MiB from the page",
        "streamlit",
        (Metric("growth", "gateway growth, MiB", Comparison.NONE, goal=_at_most(32)), _SECONDS),
        _download,
        page="download",
        lifetime=Lifetime.TURN,
        most_rounds=3,
    ),
    Case(
        "first-load",
        "First visit with an empty cache, Chromium",
        "streamlit",
        (Metric("mebibytes", "bytes over the wire"), Metric("files", "files", Comparison.NONE)),
        _first_load,
        most_rounds=1,
    ),
)

"""Visitors who come and go leave nothing behind: no socket, task, thread or memory."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.runtime.harness import ask, until, workers
from tests.support.service import Service, running
from tests.support.tab import Tab

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import psutil

pytestmark = pytest.mark.integration

WARM_UP = 250
"""As many as fill all that Streamlit keeps for those who might come back: 128 sessions."""

CYCLES = 1_000
AT_A_TIME = 8
KEPT_SECONDS = 1
"""For how long the session of a tab is kept that has left; two minutes by default."""

APP = """
import asyncio
from typing import Any
from fluxlit import FluxLit
from streamlit.runtime import get_instance

app = FluxLit(title="Probe")

@app.api.get("/tasks")
async def tasks() -> int:
    return len(asyncio.all_tasks())

@app.page("/")
def home(st: Any) -> None:
    st.session_state["kept"] = bytearray(100_000)
    st.text_input("Name")
    loop = get_instance()._get_async_objs().eventloop
    st.text(str(len(asyncio.all_tasks(loop))))
"""


class Held(NamedTuple):
    """What a worker holds."""

    descriptors: int
    threads: int
    tasks: int
    memory: int

    @classmethod
    def by(cls, worker: psutil.Process, tasks: int) -> Held:
        """Look at a worker."""
        return cls(worker.num_fds(), worker.num_threads(), tasks, worker.memory_info().rss)


def within(now: Held, before: Held) -> bool:
    """Tell whether it is at most that, and memory at most a twentieth more."""
    counts = (now.descriptors, now.threads, now.tasks)
    allowed = (before.descriptors, before.threads, before.tasks)
    fits = all(count <= most for count, most in zip(counts, allowed, strict=True))
    return fits and now.memory <= before.memory * 1.05


def come_and_go(service: Service, cycles: int) -> None:
    """Open a page, let it run and close it, so many times."""

    def visit(_: int) -> None:
        with Tab(service.port) as tab:
            tab.run()

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        list(threads.map(visit, range(cycles)))


def held(service: Service) -> dict[str, Held]:
    """Look at both workers; the tab that asks is among what the UI worker holds, each time."""
    found = workers(service)
    gateway = int(str(ask(service, "/api/tasks")))
    with Tab(service.port) as tab:
        ui = int(tab.run().texts[0])
        return {
            "ui": Held.by(found["ui"], ui),
            "gateway": Held.by(found["gateway"], gateway),
        }


def most(looks: Iterable[dict[str, Held]]) -> dict[str, Held]:
    """Return the most that was seen: the last look's tab may still be leaving."""
    looks = list(looks)
    return {
        name: Held(*map(max, zip(*(look[name] for look in looks), strict=True)))
        for name in looks[0]
    }


def idle(service: Service, descriptors: int) -> None:
    """Wait, without a visit, until the UI worker has no more descriptors than this."""
    ui = workers(service)["ui"]
    until(lambda: ui.num_fds() <= descriptors, what="sessions of who has left are kept")


def test_a_thousand_visitors_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    short = f"--server.disconnectedSessionTTL={KEPT_SECONDS}"
    environment = {"FLUXLIT_STREAMLIT_RUN_CLI_ARGS": short}
    with running("run", directory=tmp_path, environment=environment) as service:
        fresh = held(service)["ui"].descriptors
        come_and_go(service, WARM_UP)
        idle(service, fresh)
        before = most(held(service) for _ in range(5))
        come_and_go(service, CYCLES)
        idle(service, fresh)
        deadline, now = time.monotonic() + 10, held(service)
        while not all(within(now[name], before[name]) for name in before):
            assert time.monotonic() < deadline, f"{before} became {now}"
            time.sleep(0.5)
            now = held(service)

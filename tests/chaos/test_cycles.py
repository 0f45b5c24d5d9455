"""Visitors who come and go leave nothing behind: no socket, task, thread or memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.runtime.harness import ask, until, workers
from tests.support.service import Service, running
from tests.support.tab import Tab

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.integration

WARM_UP = 150
"""More than Streamlit keeps sessions for those who might come back: 128."""

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
    """What a worker holds while nobody visits."""

    descriptors: int
    threads: int
    memory: int


def come_and_go(service: Service, cycles: int) -> None:
    """Open a page and close it, so many times; every fourth visitor waits until it has run."""

    def visit(number: int) -> None:
        with Tab(service.port) as tab:
            tab.ask()
            if number % 4 == 0:
                tab.finished()

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        list(threads.map(visit, range(cycles)))


def idle(service: Service, collected: int) -> None:
    """Wait, without a visit, until the UI worker has let go of all sessions and tidied up."""

    def is_tidy() -> bool:
        return service.output().count("(vacant)") > collected

    until(is_tidy, what="sessions of who has left are kept")


def after(service: Service, cycles: int) -> dict[str, Held]:
    """Return what the workers hold when so many visitors have come and gone."""
    collected = service.output().count("(vacant)")
    come_and_go(service, cycles)
    idle(service, collected)
    return {
        name: Held(worker.num_fds(), worker.num_threads(), worker.memory_info().rss)
        for name, worker in workers(service).items()
    }


def tasks(service: Service) -> dict[str, int]:
    """Count the tasks of both workers, with those of the tab that asks."""
    with Tab(service.port) as tab:
        return {"ui": int(tab.run().texts[0]), "gateway": int(str(ask(service, "/api/tasks")))}


def test_a_thousand_visitors_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    environment = {
        "FLUXLIT_STREAMLIT_RUN_CLI_ARGS": f"--server.disconnectedSessionTTL={KEPT_SECONDS}",
        "FLUXLIT_LOG_LEVEL": "debug",
    }
    with running("run", directory=tmp_path, environment=environment) as service:
        before, tasks_before = after(service, WARM_UP), tasks(service)
        now = after(service, CYCLES)
        for name, held in now.items():
            assert held.descriptors <= before[name].descriptors, (before, now)
            assert held.threads <= before[name].threads, (before, now)
            assert held.memory <= before[name].memory * 1.05, (before, now)

        def tasks_are_back() -> bool:  # the last tab that asked may still be leaving
            return all(count <= tasks_before[name] for name, count in tasks(service).items())

        until(tasks_are_back, what=f"not {tasks_before}")

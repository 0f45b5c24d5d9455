"""A UI worker that hangs without dying: nobody waits for it, and it may come back."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING

import pytest
from tests.runtime.harness import get, until, workers
from tests.support.service import Service, running
from tests.support.tab import Tab

from fluxlit.workers.board import SILENT_AFTER

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

APP = """
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")

@app.api.get("/hello")
def hello() -> str:
    return "hello"

@app.page("/")
def home(st: Any) -> None:
    st.text("home")
"""
SOON = 1.0
"""Seconds within which whoever comes is told; two busy cores can be slow."""


def visit(service: Service, path: str) -> tuple[int, str | None]:
    """Ask as a browser does that opens an address; return status and ``Retry-After``."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Accept": "text/html"})
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("retry-after")
    finally:
        connection.close()


def test_a_frozen_ui_worker_keeps_nobody_waiting_and_serves_on_when_it_thaws(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(APP)
    for_ever = {"FLUXLIT_WORKER_STUCK_TIMEOUT_S": "0"}  # nobody replaces it
    with running("run", directory=tmp_path, environment=for_ever) as service:
        worker = workers(service)["ui"]
        with Tab(service.port) as tab:
            session = tab.run().session
            worker.suspend()
            try:
                until(
                    lambda: "stands still" in get(service, "/api/readyz")[1],
                    seconds=SILENT_AFTER + 5,
                    what="nobody has noticed",
                )
                assert get(service, "/api/readyz")[0] == 503
                started = time.monotonic()
                assert visit(service, "/") == (503, "1")
                assert visit(service, "/media/nothing.png") == (503, "1")
                assert visit(service, "/_stcore/health") == (503, "1")
                assert get(service, "/api/hello") == (200, '"hello"')
                assert time.monotonic() - started < SOON
            finally:
                worker.resume()
            until(lambda: get(service, "/api/readyz")[0] == 200, what="it does not come back")
            assert visit(service, "/")[0] == 200
            assert tab.run().session == session

"""What a service tells of itself: to balancers through its life, to operators on its own socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.runtime.harness import get, started, until
from tests.support.service import Service
from tests.support.tab import Tab

from fluxlit import __version__

pytestmark = pytest.mark.integration

APP = """
import asyncio, sys, time
from pathlib import Path
from typing import Any
from fluxlit import FluxLit

if "fluxlit.runtime._entry.ui" in sys.orig_argv:
    while not Path("go").exists():  # a UI that is slow to start
        time.sleep(0.02)

app = FluxLit(title="Probe")

@app.api.get("/slow")
async def slow() -> str:
    Path("slow-begun").touch()
    while not Path("enough").exists():
        await asyncio.sleep(0.02)
    return "done"

@app.page("/")
def home(st: Any) -> None:
    st.text("home")
"""


class Private(http.client.HTTPConnection):
    """A connection to the private socket, as ``curl --unix-socket`` makes it."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


def ask_inside(service: Service, path: str) -> tuple[int, Any]:
    (found,) = service.run_root.rglob("api.sock")
    connection = Private(str(found))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def status(service: Service) -> tuple[int, str]:
    """Ask for readiness; while nobody listens there is no answer."""
    try:
        code, body = get(service, "/api/readyz")
    except OSError:
        return 0, ""
    return code, json.loads(body)["status"]


def see_start(service: Service, directory: Path) -> None:
    """While the UI starts, the gateway answers already."""
    until(lambda: status(service) == (503, "starting"), what="readyz does not say starting")
    assert get(service, "/api/healthz") == (200, '{"status":"ok"}')
    assert get(service, "/_stcore/health")[0] == 503
    told = ask_inside(service, "/api/healthz/workers")[1]
    assert told["status"] == "starting"
    assert {it["name"]: it["state"] for it in told["workers"]} == {
        "gateway-0": "ready",
        "ui-0": "starting",
        "ui-1": "starting",
    }
    (directory / "go").touch()
    until(lambda: status(service) == (200, "ready"), what="readyz does not say ready")
    assert get(service, "/_stcore/health") == (200, "ok")


def see_workers(service: Service) -> None:
    """The private socket tells of every worker; the public one does not."""
    assert get(service, "/api/healthz/workers")[0] == 404
    with Tab(service.port) as tab:
        tab.run()
        until(lambda: sum(it["websockets"] or 0 for it in workers_told(service)) == 1)
    code, told = ask_inside(service, "/api/healthz/workers")
    assert (code, told["status"], told["version"]) == (200, "ready", __version__)
    assert told["pid"] == service.pid
    assert 0 < told["uptime_s"] < 120
    children = {child.pid for child in psutil.Process(service.pid).children()}
    assert {it["pid"] for it in told["workers"]} <= children  # there is a spare one too
    for worker in told["workers"]:
        held = psutil.Process(worker["pid"]).memory_info().rss
        assert worker["rss_bytes"] == pytest.approx(held, rel=0.2)
        assert worker["state"] == "ready"
        assert worker["beat_age_s"] < 5
        assert worker["beat_age_s"] <= worker["age_s"] <= told["uptime_s"]
    assert len({it["generation"] for it in told["workers"]}) == len(told["workers"])


def workers_told(service: Service) -> list[dict[str, Any]]:
    told = ask_inside(service, "/api/healthz/workers")[1]
    found: list[dict[str, Any]] = told["workers"]
    return found


def see_loss(service: Service) -> None:
    """One of two UI workers down is told, and keeps nobody away; the death is remembered."""
    lost = next(it["pid"] for it in workers_told(service) if it["name"] == "ui-1")
    os.kill(lost, signal.SIGSTOP)
    until(lambda: status(service) == (200, "degraded"), what="readyz does not say degraded")
    os.kill(lost, signal.SIGKILL)
    until(lambda: status(service) == (200, "ready"), what="it does not come back")
    assert ask_inside(service, "/api/healthz/workers")[1]["events"] == {"ui died": 1}


def see_end(service: Service, directory: Path) -> None:
    """A balancer that asks on its connection hears that the service is ending."""
    balancer = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)

    def told() -> tuple[int, str]:
        balancer.request("GET", "/api/readyz")
        response = balancer.getresponse()
        return response.status, json.loads(response.read())["status"]

    with ThreadPoolExecutor() as threads:
        slow = threads.submit(get, service, "/api/slow", seconds=30)
        until((directory / "slow-begun").exists)
        assert told() == (200, "ready")
        os.kill(service.pid, signal.SIGTERM)
        until(lambda: told() == (503, "draining"), what="readyz does not say draining")
        (directory / "enough").touch()
        assert slow.result() == (200, '"done"')
    balancer.close()
    assert service.wait(seconds=20) == 0


def test_a_service_tells_the_truth_from_start_to_end(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with started("run", "--ui-workers", "2", directory=tmp_path) as service:
        see_start(service, tmp_path)
        see_workers(service)
        see_loss(service)
        see_end(service, tmp_path)

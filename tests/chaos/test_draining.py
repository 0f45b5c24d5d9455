"""The end of a service with everything in flight, and an end that is asked for twice."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import assert_gone, get, is_ready, leftovers, started, until
from tests.support.service import FLUXLIT, Service
from tests.support.tabs import Browser, Upload
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.integration

IN_FLIGHT = 50

APP = """
import asyncio
from pathlib import Path
from typing import Any
from fastapi.responses import StreamingResponse
from fluxlit import FluxLit

app = FluxLit()
waiting = 0

@app.api.get("/slow")
async def slow(seconds: float) -> str:
    global waiting
    waiting += 1
    await asyncio.sleep(seconds)
    return "done"

@app.api.get("/waiting")
def how_many() -> int:
    return waiting

@app.api.get("/ticks")
async def ticks() -> StreamingResponse:
    async def forever():
        while True:
            yield "tick"
            await asyncio.sleep(0.1)
    return StreamingResponse(forever())

@app.page("/")
def home(st: Any) -> None:
    st.text("home")
"""


@dataclass(frozen=True)
class Way:
    """A way to run the app."""

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    cut_off: int = 0
    """Its exit status when it was asked twice."""
    environment: Mapping[str, str] = field(default_factory=dict)


UVICORN = str(Path(sys.executable).with_name("uvicorn"))
WAYS = {
    "handed over": Way((FLUXLIT,), ("run",)),
    "relayed": Way((FLUXLIT,), ("run",), environment={"FLUXLIT_UI_HANDOFF": "0"}),
    # Cut off, Uvicorn sends itself the signal again, so that a shell sees what ended it.
    "uvicorn": Way((UVICORN,), ("app:app",), cut_off=-signal.SIGTERM),
}


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def read_to_the_end(page: ClientConnection) -> None:
    while True:
        page.recv(timeout=15)


def processes(service: Service) -> list[psutil.Process]:
    parent = psutil.Process(service.pid)
    return [parent, *parent.children(recursive=True)]


@pytest.mark.parametrize("name", WAYS)
def test_what_is_in_flight_is_finished(tmp_path: Path, name: str) -> None:
    way = WAYS[name]
    (tmp_path / "app.py").write_text(APP)
    with (
        started(
            *way.arguments,
            directory=tmp_path,
            program=way.program,
            environment=way.environment,
        ) as service,
        ExitStack() as tabs,
        ThreadPoolExecutor(IN_FLIGHT) as clients,
    ):
        until(lambda: is_ready(service))
        tab = Browser(service, tabs).open()
        uploading = Upload(service, tab, 300_000)
        uploading.send(b"x" * 100_000)
        answers = [
            clients.submit(get, service, "/api/slow?seconds=3", seconds=30)
            for _ in range(IN_FLIGHT)
        ]
        until(lambda: get(service, "/api/waiting") == (200, str(IN_FLIGHT)))
        running = processes(service)
        os.kill(service.pid, signal.SIGTERM)
        until(lambda: is_refused(service.port), seconds=2, what="nobody new is let in")
        uploading.send(b"x" * 200_000)
        assert uploading.finish() == 204
        assert [answer.result(30) for answer in answers] == [(200, '"done"')] * IN_FLIGHT
        with pytest.raises(ConnectionClosed) as closed:
            read_to_the_end(tab.socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012  # by which the page knows that it is to come back
        assert service.wait(seconds=15) == 0, service.output()
        assert_gone(running, seconds=1)
        assert leftovers(service, tmp_path) == []
        assert "Traceback" not in service.output()


def test_all_processes_may_be_asked_at_once(tmp_path: Path) -> None:
    # As systemd does without KillMode=mixed, and whoever signals all processes of a container.
    (tmp_path / "app.py").write_text(APP)
    with (
        started("run", directory=tmp_path) as service,
        ThreadPoolExecutor(IN_FLIGHT) as clients,
    ):
        until(lambda: is_ready(service))
        path = "/api/slow?seconds=2"
        answers = [clients.submit(get, service, path, seconds=30) for _ in range(IN_FLIGHT)]
        until(lambda: get(service, "/api/waiting") == (200, str(IN_FLIGHT)))
        running = processes(service)
        for process in running:
            process.terminate()
        assert [answer.result(30) for answer in answers] == [(200, '"done"')] * IN_FLIGHT
        assert service.wait(seconds=15) == 0, service.output()
        assert_gone(running, seconds=1)
        assert "ended unexpectedly" not in service.output()
        assert "Traceback" not in service.output()


@pytest.mark.parametrize("name", ["handed over", "uvicorn"])
def test_a_stream_without_end_is_cut_after_the_grace_without_a_word(
    tmp_path: Path, name: str
) -> None:
    way = WAYS[name]
    (tmp_path / "app.py").write_text(APP)
    with started(
        *way.arguments,
        directory=tmp_path,
        program=way.program,
        environment={"FLUXLIT_UVICORN_GRACEFUL_SHUTDOWN_TIMEOUT_S": "1"},
    ) as service:
        until(lambda: is_ready(service))
        with socket.create_connection(("127.0.0.1", service.port), timeout=15) as client:
            client.sendall(b"GET /api/ticks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            os.kill(service.pid, signal.SIGTERM)
            while client.recv(4096):
                pass
        assert service.wait(seconds=15) == 0, service.output()
        if name != "uvicorn":  # whose log is its own
            assert "Traceback" not in service.output()


@pytest.mark.parametrize("name", ["handed over", "uvicorn"])
def test_asked_twice_it_ends_now(tmp_path: Path, name: str) -> None:
    way = WAYS[name]
    (tmp_path / "app.py").write_text(APP)
    with (
        started(*way.arguments, directory=tmp_path, program=way.program) as service,
        ThreadPoolExecutor(1) as clients,
    ):
        until(lambda: is_ready(service))
        answer = clients.submit(get, service, "/api/slow?seconds=60", seconds=30)
        until(lambda: get(service, "/api/waiting") == (200, "1"))
        running = processes(service)
        os.kill(service.pid, signal.SIGTERM)
        until(lambda: is_refused(service.port), seconds=2)
        os.kill(service.pid, signal.SIGINT)
        assert service.wait(seconds=5) == way.cut_off, service.output()
        assert_gone(running, seconds=2)
        assert isinstance(answer.exception(5), OSError)
        assert leftovers(service, tmp_path) == []
        assert "Traceback" not in service.output()

"""A service of these tests: its app, its processes, and what it leaves behind."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psutil
from tests.support.service import FLUXLIT, Service

PIDFILE = ".fluxlit-dev.pid"

APP = """
from __future__ import annotations

import asyncio, os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Request, WebSocket
from fluxlit import FluxLit

@asynccontextmanager
async def lifespan(api):
    yield {"db": "sqlite"}
    Path("api-stopped").touch()

app = FluxLit(title="Probe", fastapi_kwargs={"lifespan": lifespan})

@app.api.get("/db")
def db(request: Request) -> str:
    return request.state.db

@app.api.get("/pid")
def pid() -> int:
    return os.getpid()

@app.api.get("/slow")
async def slow(seconds: float) -> str:
    Path("slow-begun").touch()
    await asyncio.sleep(seconds)
    return "done"

@app.api.get("/spawn")
def spawn() -> None:
    os.system("echo $PPID > /dev/null; exec sleep 300 & echo $! > spawned")

@app.api.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)

@app.page("/")
def home(st: Any) -> None:
    st.title("Home")
"""


@contextmanager
def started(
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = (FLUXLIT,),
) -> Iterator[Service]:
    """Start ``fluxlit`` without waiting for anything; it is gone at the end of the block.

    Args:
        arguments: The command line after ``fluxlit``.
        directory: Where to start it.
        environment: Variables added to the test's own.
        program: What starts ``fluxlit``, if it is not started by itself.
    """
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as state:
        service = Service(
            arguments,
            directory=directory,
            state=Path(state),
            environment=environment or {},
            program=program,
        )
        try:
            yield service
        finally:
            service.kill()


class Listening(Protocol):
    """What answers on a port of this machine."""

    port: int


def get(service: Listening, path: str, *, seconds: float = 10) -> tuple[int, str]:
    """Ask the service; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def is_ready(service: Listening) -> bool:
    """Tell whether both halves of the service answer."""
    try:
        return get(service, "/api/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def ask(service: Listening, path: str) -> object:
    """Ask the API and read its JSON."""
    return json.loads(get(service, path)[1])


def of_kind(service: Service, kind: str) -> list[psutil.Process]:
    """The living processes of one kind, in the order of their birth; one may wait its turn."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(service.pid).children(recursive=True):
            with suppress(psutil.Error):  # it is gone meanwhile
                if f"_entry.{kind}" in " ".join(child.cmdline()):
                    found.append(child)
    return found


def workers(service: Service) -> dict[str, psutil.Process]:
    """The living workers by kind; of several the one that listens."""
    found = {}
    for kind in ("gateway", "ui"):
        for child in of_kind(service, kind):
            if kind not in found or listens(child):
                found[kind] = child
    return found


def listens(process: psutil.Process) -> bool:
    """Tell whether a process has a listening socket, of any kind."""
    try:
        found = process.net_connections(kind="all")
    except psutil.Error:
        return False
    return any(it.status == psutil.CONN_LISTEN or str(it.laddr).endswith(".sock") for it in found)


def until(condition: Callable[[], object], *, seconds: float = 30, what: str = "") -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: It did not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(0.02)


def leftovers(service: Service, directory: Path) -> list[str]:
    """What a service that has ended must not leave: run directories, sockets, pid files."""
    left = [str(path) for path in service.run_root.rglob("*")]
    return left + [path.name for path in directory.glob("*.pid")]


def assert_gone(processes: list[psutil.Process], *, seconds: float) -> None:
    """Hold processes to be gone; one that only waits to be collected is."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    living = [item for item in alive if item.status() != psutil.STATUS_ZOMBIE]
    assert not living, [item.cmdline() for item in living]

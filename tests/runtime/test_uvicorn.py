"""The app under a server that is not ours: ``uvicorn app:app``."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.runtime.harness import ask, assert_gone, until
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from websockets.sync.client import connect
from websockets.typing import Subprotocol

pytestmark = pytest.mark.integration

UVICORN = str(Path(sys.executable).with_name("uvicorn"))

APP = """
from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Request
from fluxlit import FluxLit

@asynccontextmanager
async def lifespan(api):
    if Path("broken").exists():
        raise RuntimeError("no database")
    yield {"db": "sqlite"}
    Path("api-stopped").touch()

app = FluxLit(title="Probe", fastapi_kwargs={"lifespan": lifespan})

@app.api.get("/db")
def db(request: Request) -> str:
    return request.state.db

@app.page("/")
def home(st: Any) -> None:
    st.title("Home")
"""


class Uvicorn(ServerProcess):
    """``uvicorn app:app`` in a directory."""

    def __init__(
        self, home: Path, *options: str, environment: dict[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.run_root = home / "r"
        self.run_root.mkdir(mode=0o700, exist_ok=True)
        super().__init__(
            [UVICORN, "app:app", "--port", str(self.port), *options],
            directory=home,
            log=home / "log",
            environment={"FLUXLIT_RUN_DIR": str(self.run_root), **(environment or {})},
        )

    def wait_ready(self) -> None:
        self.wait_until_ready([Probe(self.port, "/api/readyz"), Probe(self.port, "/")])

    def processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's directory: the path of a Unix socket may be 103 bytes long at most.
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as folder:
        (Path(folder) / "app.py").write_text(APP)
        yield Path(folder)


@contextmanager
def uvicorn_running(
    home: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Uvicorn]:
    server = Uvicorn(home, *options, environment=environment)
    try:
        yield server
    finally:
        for process in [] if server.returncode is not None else server.processes():
            process.kill()
        server.kill()


def is_served(server: Uvicorn, answer: str) -> bool:
    try:
        return ask(server, "/api/db") == answer
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_all_and_ends_in_order_and_leaves_nothing(
    home: Path, number: signal.Signals
) -> None:
    with uvicorn_running(home) as server:
        server.wait_ready()
        assert ask(server, "/api/db") == "sqlite"
        (socket_path,) = server.run_root.glob("*/api.sock")
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(socket_path))) as private:
            assert private.get("http://fluxlit/api/db").json() == "sqlite"
            assert private.get("http://fluxlit/").status_code == 404
        processes = server.processes()
        assert len(processes) == 2
        os.kill(server.pid, number)
        assert server.wait(seconds=15) == 0
        assert_gone(processes, seconds=0.5)
        assert (home / "api-stopped").exists()
        assert list(server.run_root.iterdir()) == []
        assert server.output().count("Started server process") == 1
        assert server.output().count("Finished server process") == 1
        assert "Traceback" not in server.output()


def test_with_our_protocols_uvicorn_hands_pages_over_too(home: Path) -> None:
    http = ("--http", "fluxlit.workers.http_protocol:HTTPProtocol")
    ws = ("--ws", "fluxlit.workers.handoff:HandoffProtocol")
    with uvicorn_running(home, *http, *ws) as server:
        server.wait_ready()
        (ui,) = psutil.Process(server.pid).children()
        stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
        with connect(stream, subprotocols=[Subprotocol("streamlit")], proxy=None):
            held = [item.laddr.port for item in ui.net_connections("tcp")]
            assert held == [server.port]
        server.stop(signal.SIGINT)


def test_when_uvicorn_is_killed_the_ui_worker_goes_with_it(home: Path) -> None:
    with uvicorn_running(home) as server:
        server.wait_ready()
        processes = server.processes()
        os.kill(server.pid, signal.SIGKILL)
        assert_gone(processes, seconds=3)


def test_an_api_that_does_not_start_leaves_no_ui_worker(home: Path) -> None:
    (home / "broken").touch()
    with uvicorn_running(home) as server:
        assert server.wait(seconds=30) == 3
        assert "the API did not start: RuntimeError: no database" in server.output()
        assert list(server.run_root.iterdir()) == []


def test_several_uvicorn_workers_are_refused_with_the_way_that_works(home: Path) -> None:
    with uvicorn_running(home, "--workers", "2") as server:
        server.wait(seconds=30)  # by itself; which status its parent process has is Uvicorn's
        assert "use `fluxlit run --workers 2`" in server.output()
        assert "FLUXLIT_ALLOW_UNIFIED_UVICORN_MULTIWORKER=1" in server.output()
        assert list(server.run_root.iterdir()) == []


def test_the_refusal_can_be_lifted_and_does_not_concern_reload(home: Path) -> None:
    lifted = {"FLUXLIT_ALLOW_UNIFIED_UVICORN_MULTIWORKER": "1"}
    with uvicorn_running(home, "--workers", "2", environment=lifted) as server:
        server.wait_ready()
        assert ask(server, "/api/db") == "sqlite"
        server.stop(signal.SIGTERM)
        assert list(server.run_root.iterdir()) == []


def test_reloading_starts_it_anew(home: Path) -> None:
    with uvicorn_running(home, "--reload", environment={"WEB_CONCURRENCY": "4"}) as server:
        server.wait_ready()
        (home / "app.py").write_text(APP.replace("return request.state.db", "return 'reloaded'"))
        until(lambda: is_served(server, "reloaded"))
        processes = server.processes()
        os.kill(server.pid, signal.SIGTERM)
        server.wait(seconds=15)
        assert_gone(processes, seconds=1)
        assert list(server.run_root.iterdir()) == []

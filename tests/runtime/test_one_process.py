"""``fluxlit dev --embedded`` in a terminal: breakpoints in routes and pages, edits, Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import PIDFILE, get, is_ready, until
from tests.support.ports import free_port
from tests.support.process import clean_environment
from tests.support.service import FLUXLIT
from tests.support.tabs import Browser

pytestmark = pytest.mark.integration

APP = """
import os
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")

@app.api.get("/pid")
def pid() -> int:
    return os.getpid()

@app.api.get("/plain")
def plain() -> str:
    said = "nothing"
    breakpoint()
    return said

@app.api.get("/async")
async def asynchronous() -> str:
    said = "nothing"
    breakpoint()
    return said

@app.page("/")
def home(st: Any, client: Any) -> None:
    st.text(f"pid {os.getpid()}")
    st.text(f"api {client.get('/pid').json()}")

@app.page("/stop")
def stop(st: Any) -> None:
    said = "nothing"
    breakpoint()
    st.text(said)
"""


class Terminal:
    """A command in a terminal of its own: what it shows, and keys to press."""

    def __init__(self, folder: Path, run_root: Path) -> None:
        self.port = free_port()
        self.shown = ""
        self._keys, theirs = pty.openpty()
        with os.fdopen(theirs, "r+b", buffering=0) as screen:
            self.process = subprocess.Popen(
                [FLUXLIT, "dev", "--embedded", "--port", str(self.port)],
                cwd=folder,
                env=clean_environment({"FLUXLIT_RUN_DIR": str(run_root), "TERM": "dumb"}),
                stdin=screen,
                stdout=screen,
                stderr=screen,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            )

    def read(self) -> None:
        """Take what is on the screen by now."""
        while select.select([self._keys], [], [], 0.02)[0]:
            try:
                piece = os.read(self._keys, 65536)
            except OSError:  # Linux' way to say that nobody has the terminal open any more
                return
            self.shown += piece.decode(errors="replace")

    def wait_for(self, text: str, *, seconds: float = 30) -> None:
        """Wait until something is shown, and forget what came before it."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            self.read()
            assert time.monotonic() < deadline, f"{text!r} is not in {self.shown!r}"
        self.shown = self.shown.partition(text)[2]

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._keys)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "app.py").write_text(APP)
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as run_root:
        terminal = Terminal(tmp_path, Path(run_root))
        try:
            terminal.wait_for("Probe is ready in")
            until(lambda: is_ready(terminal))
            yield terminal
        finally:
            terminal.close()
        left = [path.name for path in Path(run_root).rglob("*")]
        assert not left, f"left in the run directory: {left}"


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


@pytest.mark.parametrize("route", ["plain", "async"])
def test_a_breakpoint_in_a_route_stops_in_the_terminal(
    terminal: Terminal, threads: ThreadPoolExecutor, route: str
) -> None:
    asked = threads.submit(get, terminal, f"/api/{route}", seconds=60)
    terminal.wait_for("(Pdb)")
    terminal.type("said = 'typed'\n")
    terminal.wait_for("(Pdb)")
    terminal.type("c\n")
    assert asked.result() == (200, '"typed"')
    terminal.type("\x03")
    assert terminal.process.wait(timeout=15) == 0


def test_a_page_is_in_the_same_process_and_so_are_its_breakpoints(
    terminal: Terminal, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    pid = terminal.process.pid
    assert (tmp_path / PIDFILE).read_text() == f"{pid}\n"
    assert psutil.Process(pid).children() == []
    with ExitStack() as tabs:
        browser = Browser(terminal, tabs)
        assert browser.open().texts == [f"pid {pid}", f"api {pid}"]
        stopped = threads.submit(browser.open, page="stop")
        terminal.wait_for("(Pdb)")
        assert get(terminal, "/api/pid") == (200, str(pid)), "the API goes on meanwhile"
        terminal.type("said = 'typed'\n")
        terminal.wait_for("(Pdb)")
        terminal.type("c\n")
        assert stopped.result().texts == ["typed"]

        (tmp_path / "app.py").write_text(APP.replace('"pid {os', '"pid 0{os'))
        until(lambda: browser.open().texts[0] == f"pid 0{pid}", what="the page follows the edit")

        threads.submit(browser.open, page="stop")
        terminal.wait_for("(Pdb)")
        terminal.type("\x03")  # nobody answers the page that stands there
        assert terminal.process.wait(timeout=15) == 0
    terminal.read()
    assert not (tmp_path / PIDFILE).exists()

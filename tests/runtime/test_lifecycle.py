"""How a service ends: asked, asked twice, asked while it starts, killed, and giving up."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import (
    APP,
    PIDFILE,
    assert_gone,
    get,
    is_ready,
    leftovers,
    started,
    until,
    workers,
)
from tests.support.process import ServerProcess
from tests.support.service import FLUXLIT, Service
from tests.support.terminal import in_terminal
from websockets.sync.client import connect

pytestmark = pytest.mark.integration

SLEEPS_IN_IMPORT = """
import time
from pathlib import Path
Path("importing").touch()
time.sleep(60)
"""

SLEEPS_IN_LIFESPAN = """
import asyncio
from contextlib import asynccontextmanager
from fluxlit import FluxLit

@asynccontextmanager
async def lifespan(api):
    await asyncio.sleep(60)
    yield

app = FluxLit(fastapi_kwargs={"lifespan": lifespan})
"""

DIES_AGAIN = """
import os, signal
from pathlib import Path
from fluxlit import FluxLit
if Path("broken").exists():
    raise RuntimeError("broken now")
app = FluxLit()
"""

IMPATIENT = """
import asyncio, sys
from pathlib import Path
from fluxlit.cli.output import print_error
from fluxlit.exceptions import FluxLitError
from fluxlit.runtime.options import RunOptions
from fluxlit.runtime.supervisor import Supervisor
from fluxlit.workers.backoff import Backoff
supervisor = Supervisor(
    RunOptions("app:app", overrides={"gateway_port": 0}, pidfile=Path(".fluxlit-dev.pid")),
    lambda text: "is ready in" in text and Path("ready").touch(),
    backoff=Backoff(delays=(0.0,), attempts=2),
)
try:
    asyncio.run(supervisor.run())
except FluxLitError as exc:
    print_error(exc)
    sys.exit(1)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def all_processes(service: Service) -> list[psutil.Process]:
    parent = psutil.Process(service.pid)
    return [parent, *parent.children(recursive=True)]


def test_ctrl_c_in_the_terminal_lets_a_request_finish_and_closes_websockets(home: Path) -> None:
    answers: list[tuple[int, str]] = []
    with started("run", directory=home) as service:
        until(lambda: is_ready(service))
        slow = threading.Thread(
            target=lambda: answers.append(get(service, "/api/slow?seconds=1", seconds=20))
        )
        origin = f"ws://127.0.0.1:{service.port}"
        with (
            connect(f"{origin}/api/echo") as echo,
            connect(f"{origin}/_stcore/stream", subprotocols=["streamlit"]) as page,  # type: ignore[list-item]
        ):
            echo.send("hello")
            assert echo.recv(timeout=10) == "hello"
            slow.start()
            until((home / "slow-begun").exists)
            processes = all_processes(service)
            os.killpg(service.pid, signal.SIGINT)
            assert service.wait(seconds=15) == 0
            assert_gone(processes, seconds=0.5)
            assert page.state.name != "CONNECTING"
        slow.join(5)
        assert answers == [(200, '"done"')]
        assert (home / "api-stopped").exists()
        assert leftovers(service, home) == []
        assert "Traceback" not in service.output()


def test_a_second_signal_ends_it_now(home: Path) -> None:
    with started("run", directory=home) as service:
        until(lambda: is_ready(service))

        def ask_slowly() -> None:
            with pytest.raises(OSError, match=r".*"):
                get(service, "/api/slow?seconds=60", seconds=20)

        slow = threading.Thread(target=ask_slowly)
        slow.start()
        until((home / "slow-begun").exists)
        processes = all_processes(service)
        os.kill(service.pid, signal.SIGTERM)
        service.wait_until_said("SIGTERM: stopping")
        os.kill(service.pid, signal.SIGINT)
        assert service.wait(seconds=10) == 0
        assert_gone(processes, seconds=0.5)
        slow.join(5)
        assert leftovers(service, home) == []
        assert "did not end within 0 s" not in service.output()
        assert "Traceback" not in service.output()


def test_a_signal_and_its_echo_are_one_asking(home: Path) -> None:
    answers: list[tuple[int, str]] = []
    with started("run", directory=home) as service:
        until(lambda: is_ready(service))
        slow = threading.Thread(
            target=lambda: answers.append(get(service, "/api/slow?seconds=1", seconds=20))
        )
        slow.start()
        until((home / "slow-begun").exists)
        os.kill(service.pid, signal.SIGTERM)
        service.wait_until_said("SIGTERM: stopping")
        os.kill(service.pid, signal.SIGTERM)
        assert service.wait(seconds=15) == 0
        slow.join(5)
        assert answers == [(200, '"done"')]


def test_a_closed_terminal_ends_it_cleanly(home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as state:
        environment = {"FLUXLIT_RUN_DIR": f"{state}/run"}
        command = (FLUXLIT, "run", "--port", "0")
        with in_terminal(*command, directory=home, environment=environment) as terminal:
            until(lambda: "is ready in" in terminal.shown())
            parent = psutil.Process(terminal.process.pid)
            processes = [parent, *parent.children(recursive=True)]
            assert len(processes) == 3
            terminal.close()
            assert terminal.process.wait(15) == 0
            assert_gone(processes, seconds=0.5)
        assert list(Path(state).glob("run/*")) == []
        assert not (home / PIDFILE).exists()


Moment = Callable[[Service, Path], object]

MOMENTS: dict[str, tuple[signal.Signals, str, Moment]] = {
    "first words": (signal.SIGTERM, APP, lambda service, _: "starting" in service.output()),
    "pid file": (signal.SIGINT, APP, lambda _, home: (home / PIDFILE).exists()),
    "run directory": (signal.SIGTERM, APP, lambda service, _: any(service.run_root.iterdir())),
    "import": (signal.SIGINT, SLEEPS_IN_IMPORT, lambda _, home: (home / "importing").exists()),
    "half ready": (
        signal.SIGTERM,
        SLEEPS_IN_LIFESPAN,
        lambda service, _: any(service.run_root.glob("*/ui-0.*.sock")),
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_during_the_start_ends_it_cleanly(tmp_path: Path, moment: str) -> None:
    number, code, reached = MOMENTS[moment]
    (tmp_path / "app.py").write_text(code)
    with started("run", directory=tmp_path) as service:
        until(lambda: reached(service, tmp_path), what=moment)
        processes = all_processes(service)
        os.kill(service.pid, number)
        assert service.wait(seconds=10) == 0, service.output()
        assert_gone(processes, seconds=0.5)
        assert leftovers(service, tmp_path) == []
        assert "Traceback" not in service.output()


def test_when_all_are_killed_the_next_start_cleans_up(
    home: Path,
) -> None:
    with started("run", directory=home) as service:
        until(lambda: is_ready(service))
        processes = all_processes(service)
        for process in processes:
            process.suspend()  # so that none sees the end of another
        for process in processes:
            process.kill()
        assert service.wait(seconds=3) == -signal.SIGKILL
        assert_gone(processes, seconds=3)
        (left,) = service.run_root.iterdir()
        assert (home / PIDFILE).exists()
        with started(
            "run", directory=home, environment={"FLUXLIT_RUN_DIR": str(service.run_root)}
        ) as n:
            until(lambda: is_ready(n))
            assert not left.exists()
            assert (home / PIDFILE).read_text() == f"{n.pid}\n"
            n.stop(signal.SIGTERM)
        assert leftovers(service, home) == []


def test_when_the_parent_is_killed_during_the_start_nothing_lives_on(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SLEEPS_IN_IMPORT)
    with started("run", directory=tmp_path) as service:
        until(lambda: len(workers(service)) == 2 and (tmp_path / "importing").exists())
        processes = all_processes(service)
        os.kill(service.pid, signal.SIGKILL)
        assert_gone(processes, seconds=3)


def test_a_worker_that_dies_at_each_start_ends_the_service_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(DIES_AGAIN)
    run_root = tmp_path / "r"
    run_root.mkdir(mode=0o700)
    process = ServerProcess(
        [sys.executable, "-c", IMPATIENT],
        directory=tmp_path,
        log=tmp_path / "log",
        environment={"FLUXLIT_RUN_DIR": str(run_root)},
    )
    try:
        until((tmp_path / "ready").exists)
        (tmp_path / "broken").touch()
        for child in psutil.Process(process.pid).children():
            if "_entry.ui" in " ".join(child.cmdline()):
                child.kill()
        assert process.wait(seconds=20) == 1
    finally:
        process.kill()
    output = process.output()
    assert "did not start again: cannot import 'app:app': RuntimeError: broken now" in output
    assert output.count("error: ui-0 died 2 times in a row") == 1
    assert "Traceback" not in output
    assert list(run_root.iterdir()) == []
    assert not (tmp_path / PIDFILE).exists()

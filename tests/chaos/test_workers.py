"""Workers that are killed, hang, grow, and are replaced by new code, while users go on."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.chaos.load import load
from tests.runtime.harness import ask, get, is_ready, of_kind, until, workers
from tests.support.service import Service, running

from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import enlist, found_board
from fluxlit.workers.process import launch
from fluxlit.workers.rundir import RunDirectory
from fluxlit.workers.spec import WorkerSpec

pytestmark = pytest.mark.integration

APP = """
import os
from typing import Any
from fluxlit import FluxLit

VERSION = 1
app = FluxLit(title="Probe")

@app.api.get("/users")
def users() -> list[str]:
    return ["Ada"]

@app.api.get("/version")
def version() -> int:
    return VERSION

@app.api.get("/pid")
def pid() -> int:
    return os.getpid()

@app.page("/")
def home(st: Any) -> None:
    st.title("Home")
"""

BROKEN = (
    "def wrong(:\n",
    APP + "\nraise RuntimeError('out of luck')\n",
    APP.replace("app =", "other ="),
)

METRICS = {"FLUXLIT_ENABLE_GATEWAY_PROMETHEUS_METRICS": "1"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def service(directory: Path) -> Iterator[Service]:
    with running("run", "app:app", directory=directory, environment=METRICS) as started:
        yield started


def ui_answers(service: Service) -> bool:
    try:
        return get(service, "/_stcore/health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def events(service: Service, kind: str) -> dict[str, int]:
    """What the metrics tell of workers of a kind, without the zeros."""
    text = get(service, "/__fluxlit/metrics")[1]
    found = re.findall(rf'worker_events_total\{{kind="{kind}",reason="(\w+)"\}} (\d+)', text)
    return {reason: int(number) for reason, number in found if number != "0"}


async def plain_start(directory: Path) -> float:
    """Seconds that a UI worker takes to start, with nothing of a service around it."""
    os.environ["FLUXLIT_RUN_DIR"] = str(directory)
    with RunDirectory(directory) as place:
        spec = WorkerSpec("app:app", str(place.path), cookie_secret="x" * 32)
        worker = enlist(found_board(place.path), Child(WorkerKind.UI), spec, 0)
        began = time.monotonic()
        await launch(worker)
        took = time.monotonic() - began
        await worker.stop(5)
        return took


def test_a_ui_worker_that_is_killed_again_and_again_costs_the_api_nothing(
    service: Service, directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(directory)
    away, plain = [], []
    runs = tmp_path / "r"
    runs.mkdir(mode=0o700)
    with load(service.port, "/api/users", rate=200) as account:
        for count in range(20):
            if count % 4 == 0:  # by turns, for a machine's speed drifts
                plain.append(asyncio.run(plain_start(runs)))
            workers(service)["ui"].kill()
            began = time.monotonic()
            until(lambda: not ui_answers(service), what="the death is noticed")
            until(lambda: ui_answers(service), what="the UI answers again")
            away.append(time.monotonic() - began)
    assert account.failures == []
    assert account.answered > 500
    assert statistics.median(away) <= max(2.0, 1.5 * statistics.median(plain)), (away, plain)
    assert events(service, "ui") == {"died": 20}
    assert events(service, "gateway") == {}


def test_a_gateway_worker_that_is_killed_is_replaced_within_a_second(service: Service) -> None:
    away = []
    for count in range(1, 6):
        until(lambda: len(psutil.Process(service.pid).children()) == 3, what="a spare waits")
        until(lambda: any_idle(service), what="the spare has done its imports")
        old = ask(service, "/api/pid")
        os.kill(int(str(old)), signal.SIGKILL)
        began = time.monotonic()
        until(lambda old=old: answering_pid(service) not in {None, old})  # type: ignore[misc]
        away.append(time.monotonic() - began)
        until(lambda: is_ready(service))
        assert events(service, "gateway") == {"died": count}
    assert statistics.median(away) <= 1.0, away
    assert events(service, "ui") == {}


def answering_pid(service: Service) -> object:
    try:
        return ask(service, "/api/pid")
    except (OSError, http.client.HTTPException, ValueError):
        return None


def any_idle(service: Service) -> bool:
    """Whether the process that waits has nothing left to do."""
    gateway = workers(service)["gateway"]
    for child in of_kind(service, "gateway"):
        if child != gateway:
            before = child.cpu_times().user
            time.sleep(0.3)
            return bool(child.cpu_times().user == before)
    return False


def reload(service: Service) -> None:
    os.kill(service.pid, signal.SIGHUP)


def test_new_code_is_loaded_ten_times_and_no_request_fails(
    service: Service, directory: Path
) -> None:
    wrk = shutil.which("wrk")
    assert wrk, "wrk is not installed"
    seconds = 300
    command = [wrk, "-t1", "-c8", f"-d{seconds}s", "--timeout", "10s"]
    url = f"http://127.0.0.1:{service.port}/api/version"
    with (
        subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True) as hammer,
        load(service.port, "/api/version", rate=50) as account,
        ExitStack() as stack,
    ):
        stack.callback(hammer.kill)  # a failure is not to wait for its end
        for number in range(2, 12):
            (directory / "app.py").write_text(APP.replace("VERSION = 1", f"VERSION = {number}"))
            reload(service)
            until(
                lambda number=number: service.output().count("new version serves") >= number - 1,  # type: ignore[misc]
                what=f"reload {number - 1}",
            )
            assert {ask(service, "/api/version") for _ in range(5)} == {number}
        hammer.send_signal(signal.SIGINT)
        report = hammer.communicate()[0]
    assert account.failures == []
    assert "Socket errors" not in report, report
    assert "Non-2xx" not in report, report
    assert int(re.search(r"(\d+) requests in", report)[1]) > 1000  # type: ignore[index]
    assert events(service, "gateway") == events(service, "ui") == {"reload": 10}


def test_a_new_version_that_does_not_start_leaves_the_old_one_serving(
    service: Service, directory: Path
) -> None:
    before = {name: process.pid for name, process in workers(service).items()}
    with load(service.port, "/api/version", rate=50) as account:
        for number, broken in enumerate(
            (
                "def wrong(:\n",
                APP + "\nraise RuntimeError('out of luck')\n",
                APP.replace("app =", "other ="),
            )
        ):
            (directory / "app.py").write_text(broken)
            reload(service)
            until(
                lambda number=number: service.output().count("the old one serves on") > number  # type: ignore[misc]
            )
            assert {name: process.pid for name, process in workers(service).items()} == before
        (directory / "app.py").write_text(APP.replace("VERSION = 1", "VERSION = 2"))
        reload(service)
        until(lambda: ask(service, "/api/version") == 2)
    assert account.failures == []
    said = service.output()
    assert "app.py" in said
    assert "SyntaxError" in said
    assert "out of luck" in said
    assert ui_answers(service)


def test_a_ui_worker_that_hangs_is_replaced_and_the_others_go_on(directory: Path) -> None:
    # Longer than a healthy loop waits for its turn on a busy machine.
    environment = {**METRICS, "FLUXLIT_WORKER_STUCK_TIMEOUT_S": "8"}
    arguments = ("run", "app:app", "--ui-workers", "2")
    with running(*arguments, directory=directory, environment=environment) as service:
        frozen, other = of_kind(service, "ui")
        frozen.suspend()
        with load(service.port, "/api/users", rate=50) as account:
            until(lambda: events(service, "ui") == {"stuck": 1}, seconds=60, what="it is replaced")
            until(lambda: not frozen.is_running(), what="it is ended")
            until(lambda: is_ready(service))
        assert account.failures == []
        assert other in of_kind(service, "ui")
        assert len(of_kind(service, "ui")) == 2
        assert "its event loop stands still" in service.output()


def test_a_ui_worker_is_replaced_by_age_and_somebody_always_serves(directory: Path) -> None:
    environment = {**METRICS, "FLUXLIT_UI_MAX_AGE_S": "4"}
    with running("run", "app:app", directory=directory, environment=environment) as service:
        first = workers(service)["ui"]
        with load(service.port, "/_stcore/health", rate=50) as account:
            until(lambda: events(service, "ui").get("age", 0) >= 2, what="two replacements")
        assert Counter(account.failures) == {}
        assert not first.is_running()


GROWS_ONCE = (
    APP
    + """
import sys
from pathlib import Path
if "fluxlit.runtime._entry.ui" in sys.orig_argv and not Path("grown").exists():
    Path("grown").touch()
    kept = bytearray(os.urandom(1 << 20) * 400)
"""
)


def test_a_ui_worker_that_holds_too_much_memory_is_replaced(directory: Path) -> None:
    (directory / "app.py").write_text(GROWS_ONCE)
    environment = {**METRICS, "FLUXLIT_UI_MAX_RSS_MB": "400"}
    with running("run", "app:app", directory=directory, environment=environment) as service:
        first = workers(service)["ui"]
        with load(service.port, "/_stcore/health", rate=20) as account:
            until(lambda: events(service, "ui") == {"memory": 1}, what="it is replaced")
        assert account.failures == []
        until(lambda: not first.is_running())
        assert "of memory, and may hold 400" in service.output()

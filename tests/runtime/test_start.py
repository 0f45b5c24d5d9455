"""Ways in which a start fails, each told once, and unusual ways in which it must not."""

from __future__ import annotations

import signal
import textwrap
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import leftovers, started
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT, running

pytestmark = pytest.mark.integration

GOOD = "from fluxlit import FluxLit\napp = FluxLit(title='Good')\n"

NO_STREAMLIT = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "streamlit":
            raise ModuleNotFoundError("No module named 'streamlit'", name="streamlit")

sys.meta_path.insert(0, Blocked())
"""

RESTLESS = """
import threading, time
from .title import TITLE
from fluxlit import FluxLit

def poll_for_ever():
    while True:
        time.sleep(1)

threading.Thread(target=poll_for_ever, name="restless").start()
app = FluxLit(title=TITLE)
"""

LIFESPAN = """
from contextlib import asynccontextmanager
from fluxlit import FluxLit

@asynccontextmanager
async def lifespan(api):
    raise RuntimeError("no database")
    yield

app = FluxLit(fastapi_kwargs={"lifespan": lifespan})
"""


def fails(
    home: Path, *arguments: str, code: str = GOOD, environment: Mapping[str, str] | None = None
) -> str:
    """Run ``fluxlit run`` to its bad end; return the one message without its prefix."""
    (home / "app.py").write_text(textwrap.dedent(code))
    with started("run", *arguments, directory=home, environment=environment) as service:
        assert service.wait(seconds=30) == 1, service.output()
        assert leftovers(service, home) == []
        output = service.output()
    assert "Traceback" not in output
    assert output.count("error:") == 1
    assert output.count("  try: ") == 1
    return output.partition("error: ")[2]


def test_a_module_that_exits(tmp_path: Path) -> None:
    message = fails(tmp_path, code="import sys\nsys.exit(3)")
    assert message.startswith("cannot import 'app:app': SystemExit: 3")
    assert f'File "{tmp_path}/app.py", line 2' in message


def _run_root(home: Path) -> str:
    (home / "r").mkdir(mode=0o700)
    return str(home / "r")


def test_streamlit_is_missing(tmp_path: Path) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(NO_STREAMLIT)
    message = fails(tmp_path, environment={"PYTHONPATH": str(tmp_path / "hook")})
    assert message.startswith("Streamlit cannot be imported")
    assert "pip install streamlit" in message


def test_the_apis_lifespan_raises(tmp_path: Path) -> None:
    message = fails(tmp_path, code=LIFESPAN)
    assert message.startswith("the API did not start: RuntimeError: no database")
    assert f'File "{tmp_path}/app.py", line 7, in lifespan' in message


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    message = fails(tmp_path, "--pidfile", str(tmp_path / "missing" / "x.pid"))
    assert message.startswith("cannot write the pid file")


def test_a_run_directory_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    message = fails(tmp_path, environment={"FLUXLIT_RUN_DIR": str(tmp_path / "open")})
    assert "is not private to this user" in message


def test_two_gateways_a_search_path_threads_that_never_end_and_misleading_neighbours(
    tmp_path: Path,
) -> None:
    """Everything about the surroundings is unusual, and none of it matters."""
    package = tmp_path / "src" / "desk"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "title.py").write_text("TITLE = 'From src'")
    (package / "site.py").write_text(RESTLESS)
    for name in ("queue", "calendar", "types", "platform"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('taken for the real one')")
    environment = {"PYTHONPATH": str(tmp_path / "src"), "FLUXLIT_NO_PIDFILE": "1"}
    command = ("run", "desk.site:app", "--workers", "2")
    with running(*command, directory=tmp_path, environment=environment) as service:
        assert "From src is ready" in service.output()
        assert len(psutil.Process(service.pid).children(recursive=True)) == 3
        assert service.stop(signal.SIGTERM) < 8
        assert "ending while threads still run: restless" in service.output()
        assert list(tmp_path.glob("*.pid")) == []


def test_a_file_target_with_closed_standard_streams_and_an_open_umask(tmp_path: Path) -> None:
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "app.py").write_text(GOOD)
    port = free_port()
    command = f"umask 0; exec {FLUXLIT} run sub/app.py --port {port} <&- >&- 2>&-"
    process = ServerProcess(
        ["/bin/sh", "-c", command],
        directory=tmp_path,
        log=tmp_path / "log",
        environment={"FLUXLIT_RUN_DIR": _run_root(tmp_path), "FLUXLIT_PIDFILE": "other.pid"},
    )
    try:
        process.wait_until_ready([Probe(port, "/api/readyz")])
        assert (tmp_path / "other.pid").read_text() == f"{process.pid}\n"
        (run_directory,) = tmp_path.glob("r/*")
        for path in (run_directory, *run_directory.glob("*.sock")):
            assert path.stat().st_mode & 0o077 == 0
        process.stop(signal.SIGTERM)
    finally:
        process.kill()
    assert list(tmp_path.glob("*.pid")) == []

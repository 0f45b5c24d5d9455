"""The UI elsewhere than in workers behind Unix sockets: who is there, who gets in, who is asked."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from tests.runtime.harness import ask, get, is_ready, until, workers
from tests.runtime.test_uvicorn import home, uvicorn_running
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT, Service, running
from tests.support.site import UI_SECRET
from tests.support.tabs import Browser, Tab, load, upload
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fluxlit import FluxlitSettings
from fluxlit.health import probe_streamlit_ready

__all__ = ["home"]

pytestmark = pytest.mark.integration

APP = """
import os
from typing import Any
from anyio.to_thread import current_default_thread_limiter
from fluxlit import FluxLit

app = FluxLit(title="Probe")

@app.api.get("/pid")
def pid() -> int:
    return os.getpid()

@app.api.get("/threads")
async def threads() -> float:
    return current_default_thread_limiter().total_tokens

@app.page("/")
def home(st: Any, client: Any) -> None:
    st.text(f"pid {os.getpid()}")
    st.text(f"api {client.get('/pid').json()}")
    st.text(f"keys {[name for name in st.context.headers if 'fluxlit' in name.lower()]}")
"""
PINNED = "fluxlit_ui_"
METRICS = {"FLUXLIT_ENABLE_GATEWAY_PROMETHEUS_METRICS": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def tabs() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def refusal_of(folder: Path, *arguments: str, **variables: str) -> str:
    """What a start says that does not come about."""
    done = subprocess.run(
        [FLUXLIT, *arguments, "--port", "0"],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def status_of(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST" if headers.pop("post", "") else "GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def is_counted(service: Service, figure: str) -> bool:
    """Whether the gateway worker tells of one of them, which it does once a second."""
    told = get(service, "/__fluxlit/metrics")[1]
    return f'fluxlit_worker_{figure}{{worker="gateway-0"}} 1.0' in told


# Embedded


def test_an_embedded_ui_is_in_the_one_gateway_worker(folder: Path, tabs: ExitStack) -> None:
    options = ("run", "--ui-mode", "embedded")
    with running(*options, directory=folder, environment=METRICS) as service:
        assert sorted(workers(service)) == ["gateway"]
        tab = Browser(service, tabs).open(takes_cookies=False)
        assert tab.pid == ask(service, "/api/pid") == workers(service)["gateway"].pid
        assert tab.texts[1] == f"api {tab.pid}"
        assert upload(service, tab) == 204
        assert ask(service, "/api/threads") == 40, "as many as a FastAPI app has by itself"
        until(
            lambda: is_counted(service, "websockets") and is_counted(service, "taken_sockets_total")
        )
        assert get(service, "/api/readyz")[1].count('"status":"ok"') == 1
        workers(service)["gateway"].kill()
        until(lambda: is_ready(service), what="the worker's successor has a UI, too")
        assert Browser(service, tabs).open(takes_cookies=False).pid != tab.pid


def test_an_embedded_ui_is_one(folder: Path) -> None:
    embedded = {"FLUXLIT_UI_MODE": "embedded"}
    told = refusal_of(folder, "run", "--workers", "2", **embedded)
    assert "an embedded UI is in the gateway worker, of which there would be 2" in told
    assert "use ui_mode sidecar" in told
    told = refusal_of(folder, "run", "--ui-workers", "2", **embedded)
    assert "ui_workers is 2" in told


def test_an_embedded_ui_under_a_foreign_server(home: Path, tabs: ExitStack) -> None:
    (home / "app.py").write_text(APP)
    with uvicorn_running(home, environment={"FLUXLIT_UI_MODE": "embedded"}) as server:
        server.wait_ready()
        assert server.processes() == [psutil.Process(server.pid)]
        tab = Browser(server, tabs).open(takes_cookies=False)
        assert tab.pid == server.pid
        assert tab.texts[1] == f"api {server.pid}"
        assert upload(server, tab) == 204
        os.kill(server.pid, signal.SIGINT)
        assert server.wait(seconds=15) == 0
        assert list(server.run_root.iterdir()) == []
        assert server.output().count("Application startup complete") == 1
        assert "Traceback" not in server.output()


# Ports of this machine


def only_with_the_key(port: int, path: str, socket_path: str) -> None:
    """Hold a port to refuse everybody who does not show the key."""
    assert status_of(port, path) == 403
    assert status_of(port, path, **{"X-FluxLit-Key": "guessed"}) == 403
    assert status_of(port, "/_stcore/upload_file/a/b", post="1") == 403
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{port}{socket_path}", proxy=None),
    ):
        pass
    assert refused.value.response.status_code == 403


def listening(process: psutil.Process) -> list[int]:
    held = process.net_connections("tcp")
    return [item.laddr.port for item in held if item.status == psutil.CONN_LISTEN]


def test_ports_in_place_of_sockets_open_only_to_the_service(folder: Path, tabs: ExitStack) -> None:
    port = free_port()
    ports = {"FLUXLIT_UI_TRANSPORT": "tcp", "FLUXLIT_STREAMLIT_PORT": str(port)}
    with running("run", directory=folder, environment=ports) as service:
        assert not list(service.run_root.rglob("*.sock"))
        (door,) = service.run_root.rglob("api.door")
        assert door.stat().st_mode & 0o777 == 0o600
        found = workers(service)
        assert listening(found["ui"]) == [port]
        only_with_the_key(port, "/_stcore/health", "/_stcore/stream")
        private = json.loads(door.read_text())["port"]
        only_with_the_key(private, "/api/pid", "/api/echo")
        tab = Browser(service, tabs).open(takes_cookies=False)
        assert tab.texts == [f"pid {found['ui'].pid}", f"api {found['gateway'].pid}", "keys []"]
        assert upload(service, tab) == 204
        found["ui"].kill()
        until(lambda: is_ready(service) and workers(service)["ui"].pid != found["ui"].pid)
        assert Browser(service, tabs).open(takes_cookies=False).pid == workers(service)["ui"].pid


def test_ports_under_a_foreign_server(home: Path, tabs: ExitStack) -> None:
    (home / "app.py").write_text(APP)
    with uvicorn_running(home, environment={"FLUXLIT_UI_TRANSPORT": "tcp"}) as server:
        server.wait_ready()
        (ui,) = psutil.Process(server.pid).children()
        (door,) = server.run_root.rglob("api.door")
        only_with_the_key(json.loads(door.read_text())["port"], "/api/pid", "/api/echo")
        (port,) = listening(ui)
        only_with_the_key(port, "/_stcore/health", "/_stcore/stream")
        tab = Browser(server, tabs).open(takes_cookies=False)
        assert tab.texts == [f"pid {ui.pid}", f"api {server.pid}", "keys []"]
        server.stop(signal.SIGINT)


# Other machines


class Machines:
    """A gateway and two UIs, each a service of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._port = free_port()
        self.ports = [free_port(), free_port()]
        self.uis = [self.start_ui(port) for port in self.ports]
        urls = ",".join(f"http://127.0.0.1:{port}" for port in self.ports)
        self.gateway = self._start(
            "run",
            "--no-pidfile",
            port=self._port,
            FLUXLIT_UI_MODE="remote",
            FLUXLIT_STREAMLIT_UPSTREAM=urls,
            FLUXLIT_STREAMLIT_UPSTREAM_CHECK_INTERVAL_S="0.2",
        )
        until(lambda: self.told().startswith('{"status":"ready"'))

    def start_ui(self, port: int) -> Service:
        api = f"http://127.0.0.1:{self._port}/api"
        return self._start("ui", "--no-pidfile", port=port, FLUXLIT_INTERNAL_API_BASE=api)

    def told(self) -> str:
        try:
            return get(self.gateway, "/api/readyz")[1]
        except (OSError, http.client.HTTPException):
            return ""

    def visit(self, tabs: ExitStack, agent: str, *, takes_cookies: bool = True) -> Tab:
        return Browser(self.gateway, tabs).open(agent, takes_cookies=takes_cookies)

    def _start(self, *arguments: str, port: int, **variables: str) -> Service:
        variables["FLUXLIT_UI_SECRET"] = UI_SECRET
        service = running(
            *arguments, directory=self._folder, environment=variables, ready=(), port=port
        )
        return self._stack.enter_context(service)


def test_two_uis_on_other_machines_of_which_one_is_lost_and_comes_back(
    folder: Path, tabs: ExitStack
) -> None:
    with ExitStack() as stack:
        machines = Machines(folder, stack)
        gateway = machines.gateway
        assert sorted(workers(gateway)) == ["gateway"]
        for port in machines.ports:
            only_with_the_key(port, "/_stcore/health", "/_stcore/stream")
            url = [f"http://127.0.0.1:{port}"]
            one = FluxlitSettings(streamlit_upstream=url, ui_secret=SecretStr(UI_SECRET))
            assert asyncio.run(probe_streamlit_ready(settings=one, timeout_s=10)) == (True, "ok")
        api = workers(gateway)["gateway"].pid
        visits = [machines.visit(tabs, f"Agent {number}") for number in range(6)]
        there = {workers(ui)["ui"].pid for ui in machines.uis}
        assert {tab.pid for tab in visits} == there
        for tab in visits:
            assert tab.texts[1:] == [f"api {api}", "keys []"]
            assert upload(gateway, tab) == 204

        lost, other = machines.uis[0], workers(machines.uis[1])["ui"].pid
        moved = next(tab for tab in visits if tab.pid == workers(lost)["ui"].pid)
        lost.stop(signal.SIGTERM)
        until(lambda: machines.told().startswith('{"status":"degraded"'))
        assert '"detail":"ui-0: ' in machines.told()
        assert {machines.visit(tabs, f"Agent {number}").pid for number in range(4)} == {other}
        without = [machines.visit(tabs, f"A {n}", takes_cookies=False) for n in range(4)]
        assert {tab.pid for tab in without} == {other}
        pin = f"{PINNED}{gateway.port}"
        renewed = load(gateway, "/", moved.agent, moved.cookies)[pin]
        assert renewed.split(".")[:2] == [moved.cookies[pin].split(".")[0], "1"]

        back = machines.start_ui(machines.ports[0])
        until(lambda: machines.told().startswith('{"status":"ready"'))
        newcomer = machines.visit(tabs, "Agent")  # goes to the one that has least to do
        assert newcomer.pid == workers(back)["ui"].pid
        assert load(gateway, "/", "Agent", {**moved.cookies, pin: renewed}) == {}
        tabs.close()


def test_a_foreign_server_before_a_ui_elsewhere(folder: Path, home: Path, tabs: ExitStack) -> None:
    (home / "app.py").write_text(APP)
    port = free_port()
    shared = {"FLUXLIT_UI_SECRET": UI_SECRET}
    upstream = {
        "FLUXLIT_UI_MODE": "remote",
        "FLUXLIT_STREAMLIT_UPSTREAM": f"http://127.0.0.1:{port}",
    }
    with uvicorn_running(home, environment=shared | upstream) as server:
        api = {"FLUXLIT_INTERNAL_API_BASE": f"http://127.0.0.1:{server.port}/api"}
        apart = running(
            "ui",
            "--no-pidfile",
            directory=folder,
            environment=shared | api,
            ready=(),
            port=port,
        )
        with apart as ui:
            server.wait_ready()
            assert server.processes() == [psutil.Process(server.pid)]
            tab = Browser(server, tabs).open(takes_cookies=False)
            assert tab.texts == [f"pid {workers(ui)['ui'].pid}", f"api {server.pid}", "keys []"]
            tabs.close()
        until(lambda: get(server, "/api/readyz")[0] == 503)
        server.stop(signal.SIGINT)


def test_a_ui_of_its_own_says_what_it_lacks(folder: Path) -> None:
    told = refusal_of(folder, "ui", "--no-pidfile", FLUXLIT_INTERNAL_API_BASE="http://a/api")
    assert "set FLUXLIT_UI_SECRET" in told
    told = refusal_of(folder, "ui", "--no-pidfile", FLUXLIT_UI_SECRET=UI_SECRET)
    assert "set FLUXLIT_INTERNAL_API_BASE" in told
    told = refusal_of(folder, "run", "--ui-mode", "remote")
    assert "set FLUXLIT_STREAMLIT_UPSTREAM" in told


def test_uis_of_several_workers_have_ports_that_outlive_these(folder: Path) -> None:
    port = free_port(run=2)
    variables = {"FLUXLIT_UI_SECRET": UI_SECRET, "FLUXLIT_INTERNAL_API_BASE": "http://a/api"}
    options = ("ui", "--ui-workers", "2")
    with running(*options, directory=folder, environment=variables, ready=(), port=port) as service:
        service.wait_until_said("is ready in")
        urls = f"http://127.0.0.1:{port},http://127.0.0.1:{port + 1}"
        assert f"FLUXLIT_STREAMLIT_UPSTREAM={urls}\n" in service.output()
        assert (folder / ".fluxlit-ui.pid").read_text() == f"{service.pid}\n"
        before = psutil.Process(service.pid).children()
        assert len(before) == 2
        os.kill(service.pid, signal.SIGHUP)
        until(lambda: not {it.pid for it in before} & {it.pid for it in _children(service)})
        service.wait_until_said("the new version serves")
        for number in (port, port + 1):
            only_with_the_key(number, "/_stcore/health", "/_stcore/stream")


def _children(service: Service) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(service.pid).children()
    return found


SCRIPT = """
import os
import streamlit as st
st.text(f"pid {os.getpid()}")
"""


def test_a_plain_streamlit_server_behind_a_gateway(folder: Path, tabs: ExitStack) -> None:
    (folder / "script.py").write_text(SCRIPT)
    port = free_port()
    options = ("--server.port", str(port), "--server.address", "127.0.0.1")
    plain = ServerProcess(
        [sys.executable, "-m", "streamlit", "run", "script.py", "--server.headless=true", *options],
        directory=folder,
        log=folder / "streamlit.log",
    )
    try:
        plain.wait_until_ready([Probe(port, "/_stcore/health")])
        upstream = {"FLUXLIT_STREAMLIT_UPSTREAM": f"http://127.0.0.1:{port}"}
        with running(
            "run", "--ui-mode", "remote", directory=folder, environment=upstream
        ) as service:
            tab = Browser(service, tabs).open(takes_cookies=False)
            assert tab.pid == plain.pid
            assert upload(service, tab) == 204
            page = get(service, "/")[1]
            assert "<title>Streamlit</title>" in page, "the page of the release that serves it"
            tabs.close()
    finally:
        plain.kill()

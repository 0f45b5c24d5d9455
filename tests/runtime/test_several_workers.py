"""Two gateway workers before four UI workers: who serves whom, and what all of them tell."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.runtime.harness import ask, get, of_kind, until
from tests.support.service import Service, running
from tests.support.tabs import Browser, load, taken, upload

pytestmark = pytest.mark.integration

UIS, GATEWAYS = 4, 2

APP = """
import os
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")

@app.api.get("/pid")
def pid() -> int:
    return os.getpid()

@app.page("/")
def home(st: Any) -> None:
    st.text(f"pid {os.getpid()}")
    st.text(f"cookies {sorted(st.context.cookies)}")
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("home")
    (directory / "app.py").write_text(APP)
    options = ("run", "--workers", str(GATEWAYS), "--ui-workers", str(UIS))
    metrics = {"FLUXLIT_ENABLE_GATEWAY_PROMETHEUS_METRICS": "1"}
    with running(*options, directory=directory, environment=metrics) as service:
        service.wait_until_said("is ready in")
        yield service


@pytest.fixture
def browser(service: Service) -> Iterator[Browser]:
    with ExitStack() as tabs:
        yield Browser(service, tabs)
    until(lambda: sum(metric(service, "fluxlit_worker_websockets")) == 0)


@pytest.mark.parametrize("takes_cookies", [True, False], ids=["cookies", "no-cookies"])
def test_whatever_a_tab_sends_reaches_its_worker(
    service: Service, browser: Browser, takes_cookies: bool
) -> None:
    """Each request is a connection of its own, so both gateway workers decide some of them."""
    tabs = [browser.open(f"Agent {n}", takes_cookies=takes_cookies) for n in range(8)]
    assert len({tab.pid for tab in tabs}) > 1
    for tab in tabs:
        assert tab.texts[1] == "cookies ['_streamlit_xsrf']"
        assert [upload(service, tab) for _ in range(4)] == [204] * 4


def test_an_upload_elsewhere_would_have_been_refused(service: Service, browser: Browser) -> None:
    one, *others = (browser.open() for _ in range(UIS + 1))
    other = next(tab for tab in others if tab.pid != one.pid)
    one.session = other.session
    assert upload(service, one) == 400


def test_forty_new_visitors_are_spread_evenly_over_four_workers(service: Service) -> None:
    pins = [load(service, "/", "Same Agent", {})[f"fluxlit_ui_{service.port}"] for _ in range(40)]
    slots = Counter(pin.split(".")[1] for pin in pins)
    assert len(slots) == UIS
    assert max(slots.values()) - min(slots.values()) <= 4, slots


def ask_until_all_have_answered(service: Service) -> int:
    """Ask for an API route, many at once: an idle service gives all requests to one worker."""
    pids: set[object] = set()
    asked = 0
    with ThreadPoolExecutor(16) as clients:
        while len(pids) < GATEWAYS and asked < 2000:
            pids.update(clients.map(lambda _: ask(service, "/api/pid"), range(50)))
            asked += 50
    assert len(pids) == GATEWAYS
    return asked


def test_every_gateway_worker_serves_and_tells_the_same(service: Service) -> None:
    ask_until_all_have_answered(service)
    with ThreadPoolExecutor(16) as clients:
        told = set(clients.map(lambda _: get(service, "/api/readyz")[1], range(50)))
    assert len(told) == 1
    assert told.pop().count('"status":"ok"') == UIS


def metric(service: Service, pattern: str) -> list[float]:
    """The values of all metrics that begin with a pattern, in the order of their labels."""
    _, text = get(service, "/__fluxlit/metrics")
    return [float(value) for value in re.findall(rf"^{pattern}\S* (\S+)$", text, re.MULTILINE)]


API_GETS = r'fluxlit_gateway_requests_total\{dispatch="api",method_kind="GET"'


def test_counts_are_those_of_all_gateway_workers(service: Service) -> None:
    (before,) = metric(service, API_GETS)
    asked = ask_until_all_have_answered(service)
    assert {tuple(metric(service, API_GETS)) for _ in range(10)} == {(before + asked,)}


def test_the_workers_figures_are_there(service: Service, browser: Browser) -> None:
    for _ in range(UIS):
        browser.open()
    until(lambda: sum(metric(service, "fluxlit_worker_websockets")) == UIS)
    assert metric(service, "fluxlit_worker_up") == [1.0] * (UIS + GATEWAYS)
    assert min(metric(service, "fluxlit_worker_resident_memory_bytes")) > 20e6
    assert sum(metric(service, "fluxlit_worker_taken_sockets_total")) >= UIS


def test_a_lost_worker_s_visitors_find_another_and_the_service_stays_ready(
    service: Service, browser: Browser
) -> None:
    tab = browser.open()
    os.kill(tab.pid, signal.SIGKILL)
    answers = [(0, "")]

    def is_degraded() -> bool:
        answers.append(get(service, "/api/readyz"))
        return '"degraded"' in answers[-1][1]

    until(is_degraded)
    status, told = answers[-1]
    assert (status, told.count('"status":"down"')) == (200, 1)
    pin = f"fluxlit_ui_{service.port}"
    socket = browser.connect("Agent", tab.cookies)
    assert socket.response is not None
    renewed = taken(socket.response.headers.get_all("set-cookie"))[pin]
    assert renewed.split(".")[0] == tab.cookies[pin].split(".")[0]
    assert renewed.split(".")[1] != tab.cookies[pin].split(".")[1]
    until(lambda: get(service, "/api/readyz")[1].startswith('{"status":"ready"'), seconds=60)
    assert len(of_kind(service, "ui")) == UIS
    assert "Traceback" not in service.output()


def test_the_start_said_how_many_serve(service: Service) -> None:
    assert f"Workers   {GATEWAYS} gateway, {UIS} UI" in service.output()


def test_the_duration_of_a_socket_is_counted_when_its_worker_has_seen_its_end(
    service: Service, browser: Browser
) -> None:
    name = r'fluxlit_gateway_request_duration_seconds_count\{dispatch="streamlit"'
    (before,) = metric(service, name)
    tab = browser.open()
    (loaded,) = metric(service, name)
    assert loaded - before == 2  # the page and its health request; the WebSocket is still open
    tab.socket.close()
    until(lambda: metric(service, name) == [loaded + 1])


def test_nothing_secret_is_in_the_run_directory(service: Service) -> None:
    names = sorted(path.name for path in Path(service.run_root).rglob("*") if path.is_file())
    assert names == ["board", "events", "lock", "tally"]

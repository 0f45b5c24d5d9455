"""Two gateway workers before four UI workers: who serves whom, and what all of them tell."""

from __future__ import annotations

import http.client
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from tests.runtime.harness import ask, get, until
from tests.support.service import Service, running
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

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
        until(lambda: "is ready in" in service.output())
        yield service


def ui_workers(service: Service) -> list[psutil.Process]:
    children = psutil.Process(service.pid).children()
    return [child for child in children if "_entry.ui" in " ".join(child.cmdline())]


@dataclass
class Tab:
    """A tab as the server sees it: a session, and cookies where the visitor takes any."""

    socket: ClientConnection
    cookies: dict[str, str]
    agent: str
    session: str
    texts: list[str]

    @property
    def pid(self) -> int:
        return int(self.texts[0].removeprefix("pid "))


def headers_of(agent: str, cookies: dict[str, str]) -> dict[str, str]:
    joined = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"User-Agent": agent, "Cookie": joined}


def taken(values: list[str]) -> dict[str, str]:
    pairs = (value.partition(";")[0].partition("=") for value in values)
    return {name: value for name, _, value in pairs}


def load(service: Service, path: str, agent: str, cookies: dict[str, str]) -> dict[str, str]:
    """Open an address as a browser does; return the cookies that it sets."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    headers = {**headers_of(agent, cookies), "Accept": "text/html"}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    connection.close()
    return taken(response.headers.get_all("set-cookie") or [])


class Browser:
    """Opens tabs, each as a visitor of its own, and closes what is still open at the end."""

    def __init__(self, service: Service, tabs: ExitStack) -> None:
        self._service = service
        self._tabs = tabs

    def open(self, agent: str = "Agent", *, takes_cookies: bool = True) -> Tab:
        """Load the page, connect, and let its script run once."""
        service = self._service
        cookies = load(service, "/", agent, {}) if takes_cookies else {}
        cookies |= load(service, "/_stcore/health", agent, cookies)  # brings the XSRF token
        socket = self.connect(agent, cookies)
        assert socket.response is not None
        if takes_cookies:
            cookies |= taken(socket.response.headers.get_all("set-cookie"))
        request = BackMsg()
        request.rerun_script.SetInParent()
        socket.send(request.SerializeToString())
        return Tab(socket, cookies, agent, *_first_run(socket))

    def connect(self, agent: str, cookies: dict[str, str]) -> ClientConnection:
        """Open a page's WebSocket."""
        token = cookies["_streamlit_xsrf"]
        connecting = connect(
            f"ws://127.0.0.1:{self._service.port}/_stcore/stream",
            additional_headers=headers_of(agent, cookies),
            subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
            user_agent_header=None,
            proxy=None,
            max_size=None,
        )
        return self._tabs.enter_context(connecting)


@pytest.fixture
def browser(service: Service) -> Iterator[Browser]:
    with ExitStack() as tabs:
        yield Browser(service, tabs)
    until(lambda: sum(metric(service, "fluxlit_worker_websockets")) == 0)


def _first_run(socket: ClientConnection) -> tuple[str, list[str]]:
    session, texts = "", []
    while True:
        message: Any = ForwardMsg.FromString(bytes(socket.recv(timeout=30)))  # type: ignore[arg-type]
        kind = message.WhichOneof("type")
        if kind == "new_session":
            session = message.new_session.initialize.session_id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "text":
            texts.append(message.delta.new_element.text.body)
        elif kind == "script_finished":
            return session, texts


def upload(service: Service, tab: Tab) -> int:
    """Upload a file for a tab; only the worker of its session knows the address."""
    head = b'Content-Disposition: form-data; name="file"; filename="a.txt"'
    content = b"--x\r\n" + head + b"\r\n\r\nhello\r\n--x--\r\n"
    headers = {
        **headers_of(tab.agent, tab.cookies),
        "Content-Type": "multipart/form-data; boundary=x",
        "X-Xsrftoken": tab.cookies["_streamlit_xsrf"],
    }
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    path = f"/_stcore/upload_file/{tab.session}/some-file"
    connection.request("PUT", path, body=content, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


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


def test_every_gateway_worker_serves_and_tells_the_same(service: Service) -> None:
    pids, told = set(), set()
    for _ in range(100):
        pids.add(ask(service, "/api/pid"))
        told.add(get(service, "/api/readyz")[1])
        if len(pids) == GATEWAYS:
            break
    assert len(pids) == GATEWAYS
    assert len(told) == 1
    assert told.pop().count('"status":"ok"') == UIS


def metric(service: Service, pattern: str) -> list[float]:
    """The values of all metrics that begin with a pattern, in the order of their labels."""
    _, text = get(service, "/__fluxlit/metrics")
    return [float(value) for value in re.findall(rf"^{pattern}\S* (\S+)$", text, re.MULTILINE)]


API_GETS = r'fluxlit_gateway_requests_total\{dispatch="api",method_kind="GET"'


def test_counts_are_those_of_all_gateway_workers(service: Service) -> None:
    (before,) = metric(service, API_GETS)
    pids = {ask(service, "/api/pid") for _ in range(60)}
    assert len(pids) == GATEWAYS
    assert {tuple(metric(service, API_GETS)) for _ in range(10)} == {(before + 60,)}


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
    until(lambda: '"degraded"' in get(service, "/api/readyz")[1])
    status, told = get(service, "/api/readyz")
    assert (status, told.count('"status":"down"')) == (200, 1)
    pin = f"fluxlit_ui_{service.port}"
    socket = browser.connect("Agent", tab.cookies)
    assert socket.response is not None
    renewed = taken(socket.response.headers.get_all("set-cookie"))[pin]
    assert renewed.split(".")[0] == tab.cookies[pin].split(".")[0]
    assert renewed.split(".")[1] != tab.cookies[pin].split(".")[1]
    until(lambda: get(service, "/api/readyz")[1].startswith('{"status":"ready"'), seconds=60)
    assert len(ui_workers(service)) == UIS
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

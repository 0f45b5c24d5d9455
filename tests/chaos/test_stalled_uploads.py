"""Clients that begin something and do not go on: an honest visitor does not notice them."""

from __future__ import annotations

import contextlib
import http.client
import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
from tests.runtime.harness import get, until, workers
from tests.support.service import Service, running
from tests.support.tab import Tab

pytestmark = pytest.mark.integration

CROWD = 300
ONE = ["127.0.0.1"]
MANY = [f"127.0.1.{number}" for number in range(1, 31)]
SOON = 3.0
"""Seconds for an honest visit; without the crowd it takes a tenth of a second."""

LITTLE = 32 * 1024 * 1024
"""Bytes for three hundred answers that wait; each is of half a megabyte."""

APP = """
import os
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")

@app.api.get("/hello")
def hello() -> str:
    return "hello"

@app.page("/")
def home(st: Any) -> None:
    st.text("home")
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("home")
    (directory / "app.py").write_text(APP)
    few = {"FLUXLIT_GATEWAY_MAX_CONCURRENT_UPSTREAM_HTTP": "8"}
    with running("run", directory=directory, environment=few) as service:
        yield service


@contextlib.contextmanager
def crowd(service: Service, sources: Sequence[str], data: bytes) -> Iterator[list[socket.socket]]:
    """As many clients as a crowd, from these addresses in turn, that say this and no more."""
    with ExitStack() as stack:
        clients = []
        for number in range(CROWD):
            source = (sources[number % len(sources)], 0)
            at = ("127.0.0.1", service.port)
            client = stack.enter_context(socket.create_connection(at, 10, source))
            client.sendall(data)
            clients.append(client)
        yield clients


def upload(service: Service, session: str) -> bytes:
    """The first half of an upload, as Streamlit's frontend sends it."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", "/_stcore/health")
    cookie = connection.getresponse().headers["set-cookie"].partition(";")[0]
    connection.close()
    head = (
        f"PUT /_stcore/upload_file/{session}/some-file HTTP/1.1",
        "Host: 127.0.0.1",
        f"Cookie: {cookie}",
        f"X-Xsrftoken: {cookie.partition('=')[2]}",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 1000",
    )
    return "\r\n".join([*head, "", "--x\r\n"]).encode()


def visit(service: Service) -> float:
    """Open the page as a browser does, and let it run; return the seconds that it took."""
    started = time.monotonic()
    for path in ("/", "/_stcore/health", "/_stcore/host-config"):
        assert get(service, path)[0] == 200
    with Tab(service.port) as tab:
        assert tab.run().texts == ["home"]
    assert get(service, "/api/hello")[0] == 200
    return time.monotonic() - started


def answered(clients: list[socket.socket]) -> list[socket.socket]:
    """Return those who have been told something, or whose connection is closed."""
    return select.select(clients, [], [], 0)[0]


SOURCES = pytest.mark.parametrize("sources", [ONE, MANY], ids=["one-address", "30-addresses"])


@SOURCES
def test_stalled_uploads_keep_no_page_waiting(service: Service, sources: list[str]) -> None:
    ui = workers(service)["ui"]
    with Tab(service.port) as tab:
        session = tab.run().session
        with crowd(service, sources, upload(service, session)) as clients:
            until(lambda: ui.num_fds() > CROWD, what="the uploads do not reach the UI")
            assert max(visit(service) for _ in range(3)) < SOON
            assert answered(clients) == []
        # Some connections are kept for the next requests, and the sessions of visitors for a while.
        until(lambda: ui.num_fds() < CROWD // 2, what="the UI keeps connections of who is gone")


@SOURCES
def test_heads_without_an_end_keep_no_page_waiting(service: Service, sources: list[str]) -> None:
    with crowd(service, sources, b"GET /_stcore/stream HTTP/1.1\r\nHost: a\r\nUpgrade: webs"):
        assert max(visit(service) for _ in range(3)) < SOON


@SOURCES
def test_answers_that_nobody_reads_keep_no_page_waiting_and_fill_no_memory(
    service: Service, sources: list[str]
) -> None:
    gateway = workers(service)["gateway"]
    script = re.search(r"/static/js/index[^\"]+", get(service, "/")[1])
    assert script is not None
    before = gateway.memory_info().rss
    request = f"GET {script[0]} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with crowd(service, sources, request) as clients:
        until(lambda: len(answered(clients)) == CROWD, what="answers do not begin")
        assert max(visit(service) for _ in range(3)) < SOON
        assert gateway.memory_info().rss - before < LITTLE

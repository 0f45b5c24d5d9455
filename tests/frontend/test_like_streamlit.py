"""What a path answers is what `streamlit run` answers, with and without a path in front."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from tests.support.service import running

pytestmark = pytest.mark.integration

CONFIG = "[server]\nenableStaticServing = true\nheadless = true\n"
PATHS = (
    "", "/", "/index.html", "/orders", "/orders/", "/orders/?a=1", "/a/b", "/a/b/", "/a//b",
    "/gr%C3%B6%C3%9Fe", "/%F0%9F%93%A6", "/a%2Fb", "/x.js", "/index.html/", "/favicon.png",
    "/favicon.png/x", "/manifest.json", "/static", "/static/", "/static/js", "/static/js/nope.js",
    "/static/../x", "/%2e%2e/x", "/a/%2e%2e/b", "/a/./b", "/.", "/..", "//evil.test", "//",
    "/%5c%5cserver", "/C:/x", "/C%3A", "/%00", "/a%0Ab", "/%ff", "/~user", "/.well-known/x",
    "/_stcore", "/_stcore/", "/_stcore/health", "/_stcore/nope", "/x/_stcore/health",
    "/x_stcore/health", "/_stcore/host-config", "/_stcore/agent/openapi.json",
    "/media", "/media/", "/media/x.png", "/mediathek", "/component", "/component/x/index.html",
    "/app", "/app/", "/app/static", "/app/static/", "/app/static/mine.txt", "/app/static/nope",
    "/app/x", "/auth", "/auth/login", "/auth/logout", "/auth/x", "/oauth2callback",
    "/oauth2callback/x", "/robots.txt", "/" + "a" * 300,
)  # fmt: skip
KEPT_SHORTER = {"/favicon.png"}
"""Streamlit lets browsers keep it for a year although its name never changes."""
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


class Seen(NamedTuple):
    """What tells one kind of answer from another."""

    status: int
    kind: str
    location: str
    cache: str


class Pair(NamedTuple):
    """The same script behind both servers, under the same public path."""

    streamlit: int
    fluxlit: int
    base: str


def ask(port: int, method: str, path: str) -> Seen:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path or "/", skip_accept_encoding=True)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        location = (answer.getheader("location") or "").replace(f":{port}", "")
        kind = (answer.getheader("content-type") or "").partition(";")[0]
        return Seen(answer.status, kind, location, answer.getheader("cache-control") or "")
    finally:
        connection.close()


@contextmanager
def streamlit_running(folder: Path, base: str) -> Iterator[int]:
    """Run `streamlit run` for as long as the block lasts; gives its port."""
    port = free_port()
    options = [f"--server.port={port}", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", "script.py", *options]
    server = ServerProcess(
        [*command, f"--server.baseUrlPath={base}", "--browser.gatherUsageStats=false"],
        directory=folder,
        log=folder / "streamlit.log",
    )
    try:
        server.wait_until_ready([Probe(port, f"{base}/_stcore/health")])
        yield port
        server.stop()
    finally:
        server.kill()


@pytest.fixture(scope="module", params=["", "/apps/x/ui"], ids=["root", "below"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("script")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit/config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "script.py").write_text("import streamlit as st\nst.title('Hi')\n", encoding="utf-8")
    (folder / "static").mkdir()
    (folder / "static/mine.txt").write_text("mine", encoding="utf-8")
    base: str = request.param
    under = {"FLUXLIT_ROOT_PATH": "/apps/x", "FLUXLIT_UI_PATH": "/ui"} if base else {}
    ready = ("/healthz", "/ui/_stcore/health") if base else ("/api/readyz", "/_stcore/health")
    with (
        streamlit_running(folder, base) as port,
        running("run", "script.py", directory=folder, environment=under, ready=ready) as service,
    ):
        yield Pair(port, service.port, base)


@pytest.mark.parametrize("method", METHODS)
def test_every_path_answers_as_under_streamlit_run(pair: Pair, method: str) -> None:
    differing = {}
    for path in PATHS:
        theirs = ask(pair.streamlit, method, pair.base + path)
        ours = ask(pair.fluxlit, method, pair.base + path)
        if path in KEPT_SHORTER:
            theirs, ours = theirs._replace(cache=""), ours._replace(cache="")
        if ours.kind.startswith("text/html") and ours.cache == "private, no-cache":
            ours = ours._replace(cache="no-cache")  # a page of ours may pin its visitor
        if theirs != ours:
            differing[path] = (theirs, ours)
    assert differing == {}

"""The gateway's own answers for the UI: only where it is sure, and pages only with a worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.harness import FakeUpstream, Fixed, GatewayServer, Serve, echo_api

from fluxlit._streamlit.frontend import StreamlitFrontend
from fluxlit.frontend import Frontend, FrontendOptions, PageHead
from fluxlit.gateway import Gateway, GatewayOptions, Upstream

pytestmark = pytest.mark.integration

INDEX = "<html><head><title>Streamlit</title></head></html>"
SCRIPT = "/static/js/app.AbCd_-12.js"


@pytest.fixture
def frontend(tmp_path: Path) -> Frontend:
    folder = tmp_path / "static"
    (folder / "static/js").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / SCRIPT[1:]).write_text("1;" * 1000)
    streamlit = StreamlitFrontend("1", folder)
    return Frontend(FrontendOptions(tmp_path / "cache"), {"": PageHead("Desk")}, streamlit)


def start(serve: Serve, frontend: Frontend, socket: Path, options: GatewayOptions) -> GatewayServer:
    upstreams = Fixed(Upstream("ui-0", str(socket)))
    return serve(Gateway(echo_api, options, upstreams, frontend))


@pytest.mark.parametrize("sent", ["", "/apps/x"])
@pytest.mark.parametrize("ui", ["", "/ui"])
def test_under_a_mount_that_is_stripped_or_not(
    serve: Serve, frontend: Frontend, upstream: FakeUpstream, ui: str, sent: str
) -> None:
    options = GatewayOptions(mount="/apps/x", prefix="/api", ui_path=ui)
    server = start(serve, frontend, upstream.path, options)
    base = f"{sent}{ui}".encode()
    assert b"<title>Desk</title>" in server.get(base + b"/").body
    assert b"<title>Desk</title>" in server.get(base + b"/orders?a=1").body
    reply = server.get(base + SCRIPT.encode(), b"Accept-Encoding: gzip")
    assert (reply.status, reply.header(b"content-encoding")) == (200, b"gzip")
    assert reply.header(b"x-request-id")
    head = server.get(base + SCRIPT.encode(), method=b"HEAD")
    assert (head.header(b"content-length"), head.body) == (b"2000", b"")
    assert upstream.heads == []  # the worker has not been asked for any of it
    assert server.get(base + b"/_stcore/health").body == b"ok"
    assert server.get(base + b"/orders", method=b"POST").body == b"ok"
    assert server.get(base + b"/app/static/x").body == b"ok"
    assert len(upstream.heads) == 3


def test_without_a_worker_files_are_served_and_pages_are_starting(
    serve: Serve, frontend: Frontend, run_dir: Path
) -> None:
    server = start(serve, frontend, run_dir / "ui-0.sock", GatewayOptions())
    assert server.get(SCRIPT.encode()).status == 200
    starting = server.get(b"/orders", b"Accept: text/html")
    assert (starting.status, starting.header(b"retry-after")) == (503, b"1")
    assert b'http-equiv="refresh"' in starting.body
    fake = FakeUpstream(run_dir / "ui-0.sock")
    try:
        assert b"<title>Desk</title>" in server.get(b"/orders", b"Accept: text/html").body
    finally:
        fake.close()


def test_a_malformed_host_is_refused_here_too(
    serve: Serve, frontend: Frontend, upstream: FakeUpstream
) -> None:
    server = start(serve, frontend, upstream.path, GatewayOptions())
    assert server.get(SCRIPT.encode(), b"Host: a b").status == 400

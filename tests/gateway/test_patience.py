"""A page that is open waits for its worker; everybody else is told at once that there is none."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest
from tests.gateway.harness import FakeUpstream, Fixed, GatewayServer, Serve, echo_api
from tests.support.servers import handshake, receive_until, until

from fluxlit._types import Scope
from fluxlit.exceptions import UpstreamStarting
from fluxlit.gateway import Gateway, GatewayOptions, Upstream, patience
from fluxlit.gateway.patience import Patience, is_open_page

SCRIPT = (b"sec-fetch-dest", b"empty")
WINDOW = (b"sec-fetch-dest", b"document")
OF_A_PAGE = (b"referer", b"http://front.test/orders")
HEALTH = b"/_stcore/health"


@pytest.mark.parametrize(
    ("path", "header", "waits"),
    [
        (HEALTH, SCRIPT, True),
        (b"/_stcore/host-config", OF_A_PAGE, True),
        (HEALTH, (b"user-agent", b"kube-probe/1.33"), False),
        (HEALTH, WINDOW, False),
        (b"/media/a.png", SCRIPT, False),
        (b"/", OF_A_PAGE, False),
    ],
)
def test_who_waits(path: bytes, header: tuple[bytes, bytes], waits: bool) -> None:
    scope: Scope = {"type": "http", "method": "GET", "headers": [header]}
    assert is_open_page(scope, path) is waits
    assert not is_open_page({**scope, "method": "HEAD"}, path)


@pytest.fixture
def home(run_dir: Path, serve: Serve) -> tuple[GatewayServer, Path]:
    path = run_dir / "ui-0.sock"
    options = GatewayOptions(page_patience=5)
    return serve(Gateway(echo_api, options, Fixed(Upstream("ui-0", str(path))))), path


@pytest.mark.integration
def test_a_page_s_request_is_answered_when_the_worker_is_there(
    home: tuple[GatewayServer, Path],
) -> None:
    server, path = home
    probe = server.get(HEALTH)
    assert (probe.status, probe.header(b"retry-after")) == (503, b"1")
    statuses: list[int] = []
    pages = [
        threading.Thread(
            target=lambda: statuses.append(server.get(HEALTH, b"Sec-Fetch-Dest: empty").status)
        )
        for _ in range(30)
    ]
    with server.connect() as browser:
        browser.sendall(handshake(target=b"/_stcore/stream"))
        for page in pages:
            page.start()
        pages[0].join(0.3)
        assert statuses == []
        upstream = FakeUpstream(path)
        try:
            for page in pages:
                page.join(10)
            assert statuses == [200] * len(pages)
            # The fake answers a handshake as anything else, and its answer passes.
            assert receive_until(browser, b"\r\n").startswith(b"HTTP/1.1 200 ")
            assert any(b"websocket" in head.lower() for head in upstream.heads)
        finally:
            upstream.close()


@pytest.mark.integration
def test_who_leaves_while_waiting_disturbs_nobody(
    home: tuple[GatewayServer, Path], caplog: pytest.LogCaptureFixture
) -> None:
    server, path = home
    for request in (
        handshake(target=b"/_stcore/stream"),
        b"GET /_stcore/health HTTP/1.1\r\nHost: front.test\r\nSec-Fetch-Dest: empty\r\n\r\n",
    ):
        with server.connect() as browser:
            browser.sendall(request)
    upstream = FakeUpstream(path)
    try:
        assert server.get(HEALTH, b"Sec-Fetch-Dest: empty").status == 200
        until(lambda: len(upstream.heads) >= 2, "those who left are waited for")
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    finally:
        upstream.close()


def test_patience_ends_and_never_holds_more_than_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = 0

    async def serve() -> None:
        nonlocal tries
        tries += 1
        raise UpstreamStarting("nobody")

    async def wait(seconds: float) -> None:
        await Patience(seconds)(serve)

    started = time.monotonic()
    with pytest.raises(UpstreamStarting):
        asyncio.run(wait(0.2))
    assert time.monotonic() - started >= 0.2
    assert tries > 2
    tries = 0
    monkeypatch.setattr(patience, "MOST_WAITING", 0)
    with pytest.raises(UpstreamStarting):
        asyncio.run(wait(60))
    assert tries == 1

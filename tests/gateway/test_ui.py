from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from tests.gateway.harness import BuildHouse, Conn, FakeUpstream, Fixed, House, Serve, echo_api

from fluxlit.exceptions import UpstreamTimeout
from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.gateway.upstream import Member

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def members(self) -> list[Member]:
        raise self.error


def test_while_a_worker_starts_a_browser_gets_a_page(run_dir: Path, serve: Serve) -> None:
    upstream = Upstream("ui-0", str(run_dir / "none.sock"))
    server = serve(Gateway(echo_api, GatewayOptions(), Fixed(upstream)))
    reply = server.get(b"/", b"Accept: text/html,*/*")
    assert (reply.status, reply.header(b"retry-after")) == (503, b"1")
    assert reply.header(b"content-type") == b"text/html; charset=utf-8"
    assert reply.header(b"cache-control") == b"no-store"
    assert b'http-equiv="refresh"' in reply.body
    assert b"<script" not in reply.body
    for other in (server.get(b"/"), server.get(b"/", b"Accept: text/html", method=b"POST")):
        assert (other.status, other.header(b"content-type")) == (503, b"application/json")
        assert (other.header(b"x-request-id") or b"?") in other.body


def test_a_dead_socket_file_counts_as_starting(run_dir: Path, serve: Serve) -> None:
    path = run_dir / "dead.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    server = serve(Gateway(echo_api, GatewayOptions(), Fixed(Upstream("ui-0", str(path)))))
    assert server.get(b"/").status == 503


def test_an_unmanaged_upstream_that_is_down_is_a_bad_gateway(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    upstream = Upstream("remote", url=f"http://127.0.0.1:{port}", managed=False)
    server = serve(Gateway(echo_api, GatewayOptions(), Fixed(upstream)))
    reply = server.get(b"/")
    assert reply.status == 502
    assert b"127.0.0.1" not in reply.body


def test_an_upstream_behind_a_url(serve: Serve, house: BuildHouse) -> None:
    inner = house()
    upstream = Upstream("remote", url=f"http://127.0.0.1:{inner.server.port}", managed=False)
    server = serve(Gateway(echo_api, GatewayOptions(), Fixed(upstream)))
    assert server.get(b"/a%2Fb").body == b"ok"
    assert inner.upstream.target == b"/a%2Fb"


@pytest.mark.parametrize(
    ("error", "status"), [(UpstreamTimeout("all busy"), 504), (ValueError("secret"), 500)]
)
def test_what_no_relay_saw_is_answered_once(serve: Serve, error: Exception, status: int) -> None:
    server = serve(Gateway(echo_api, GatewayOptions(), Broken(error)))
    reply = server.get(b"/")
    assert reply.status == status
    assert b"secret" not in reply.body
    assert reply.header(b"x-request-id")


@pytest.mark.parametrize("host", ["a:²", "a b", "a/b", "[::1"])
def test_a_malformed_host_is_a_bad_request(plain: House, host: str) -> None:
    assert plain.server.get(b"/", b"Host: " + host.encode()).status == 400
    assert plain.upstream.heads == []


@pytest.mark.parametrize("ui_path", ["", "/ui"])
def test_probing_an_upstream(upstream: FakeUpstream, ui_path: str) -> None:
    target = Upstream("ui-0", str(upstream.path))
    gateway = Gateway(echo_api, GatewayOptions(mount="/m", ui_path=ui_path), Fixed(target))
    assert [probe.ok for probe in asyncio.run(gateway.probe())] == [True]
    assert upstream.target == f"/m{ui_path}/_stcore/health".encode()


def test_probing_an_upstream_that_is_not_well(run_dir: Path, upstream: FakeUpstream) -> None:
    target = Upstream("ui-0", str(upstream.path))
    gateway = Gateway(echo_api, GatewayOptions(), Fixed(target))

    def unwell(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n")

    upstream.script = unwell
    (probe,) = asyncio.run(gateway.probe())
    assert (probe.ok, probe.detail) == (False, "health answers 503")
    upstream.script = lambda conn: conn.until_closed()
    (probe,) = asyncio.run(gateway.probe(timeout_seconds=0.1))
    assert (probe.ok, probe.detail) == (False, "no answer within 0.1 s")
    nobody = Fixed(Upstream("ui-1", str(run_dir / "none.sock")))
    (probe,) = asyncio.run(Gateway(echo_api, GatewayOptions(), nobody).probe())
    assert (probe.name, probe.detail) == ("ui-1", "nobody listens yet")

"""A relayed WebSocket before a UI that has fallen silent."""

from __future__ import annotations

import base64
import hashlib
import queue
import time

import pytest
from tests.gateway.harness import BuildHouse, Conn, EventFlag, FakeUpstream, Fixed, Serve, echo_api
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fluxlit.gateway import Gateway, GatewayOptions, Upstream, websocket_relay

pytestmark = pytest.mark.integration

PING, CLOSE = 0x9, 0x8
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Silent:
    """Takes the handshake, notes the kinds of frames that come, and never says a word."""

    def __init__(self) -> None:
        self.frames: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.gone = EventFlag()

    def __call__(self, conn: Conn) -> None:
        lines = conn.head().split(b"\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(b": ") for line in lines[1:])}
        digest = hashlib.sha1(headers[b"sec-websocket-key"] + _MAGIC).digest()
        conn.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        while len(start := conn.body(2)) == 2:
            self.frames.put(start[0] & 0x0F)
            conn.body(4 + (start[1] & 0x7F))  # the mask and a short payload
        self.gone.set()


def test_a_ui_that_answers_no_ping_is_given_up(house: BuildHouse) -> None:
    home = house(GatewayOptions(ws_ping_interval=0.1, ws_ping_timeout=0.2, ws_close_timeout=0.3))
    home.upstream.script = silent = Silent()
    with connect(f"ws://127.0.0.1:{home.server.port}/_stcore/stream", proxy=None) as client:
        assert silent.frames.get(timeout=10) == PING
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == 1011


def test_a_ui_on_another_machine_is_pinged_although_nobody_said_so(
    upstream: FakeUpstream, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_relay, "REMOTE_PING_SECONDS", 0.1)
    elsewhere = Upstream("ui-0", socket_path=str(upstream.path), managed=False)
    server = serve(Gateway(echo_api, GatewayOptions(ws_close_timeout=0.3), Fixed(elsewhere)))
    upstream.script = silent = Silent()
    with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", proxy=None) as client:
        assert silent.frames.get(timeout=10) == PING
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)


def test_a_ui_that_does_not_close_is_left_after_a_while(house: BuildHouse) -> None:
    home = house(GatewayOptions(ws_close_timeout=0.3))
    home.upstream.script = silent = Silent()
    with connect(f"ws://127.0.0.1:{home.server.port}/_stcore/stream", proxy=None) as client:
        client.close()
    started = time.monotonic()
    assert silent.frames.get(timeout=10) == CLOSE
    silent.gone.expect("the connection to the UI is still open")
    assert 0.2 < time.monotonic() - started < 5

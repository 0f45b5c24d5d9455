"""A page's WebSocket through the whole gateway, handed over and relayed: nobody can tell which."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.gateway.harness import DEFAULT, Fixed, WithLifespan, echo_api
from tests.support.servers import Running, handshake, receive_all, serving, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from fluxlit._types import ASGIApp, Message, Receive, Scope, Send
from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.workers.adoption import HandoffListener, PageProtocol
from fluxlit.workers.handoff import HandoffProtocol
from fluxlit.workers.limits import ConnectionLimits
from fluxlit.workers.sockets import bind_unix
from fluxlit.workers.traffic import Counted, Traffic

pytestmark = pytest.mark.integration

MB = 1024 * 1024
OFFERED = ["streamlit", "2|xsrf|token", "session-id"]
Step = Callable[[Receive, Send], Any]


class Page:
    """The app of the UI worker: accepts as Streamlit does, then plays its part."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.ends: list[Message] = []
        self.part: Step = self.echo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await receive()
        if scope["path"].endswith("/refused"):
            start = {"status": 403, "headers": [(b"content-length", b"7")]}
            await send({"type": "websocket.http.response.start", **start})
            await send({"type": "websocket.http.response.body", "body": b"not you"})
            return
        protocol = scope["subprotocols"][0] if scope["subprotocols"] else None
        headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await send({"type": "websocket.accept", "subprotocol": protocol, "headers": headers})
        await self.part(receive, send)

    async def echo(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            kinds = ("bytes", "text")
            data = {kind: message[kind] for kind in kinds if message.get(kind) is not None}
            await send({"type": "websocket.send", **data})
        self.ends.append(message)

    def header(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.scopes[-1]["headers"] if key == name]


class House:
    """A gateway and a UI worker, each with its real server."""

    def __init__(self, mode: str, port: int, page: Page, traffic: Traffic) -> None:
        self.mode = mode
        self.port = port
        self.page = page
        self.traffic = traffic

    def open(self, path: str = "/_stcore/stream?a=%2F", **options: Any) -> ClientConnection:
        connection: ClientConnection = connect(
            f"ws://127.0.0.1:{self.port}{path}",
            **{
                "max_size": None,
                "proxy": None,
                "compression": None,
                "subprotocols": [Subprotocol(name) for name in OFFERED],
                **options,
            },
        )
        # No test may pass in the wrong way of the two.
        assert self.traffic.taken == (1 if self.mode == "handoff" else 0)
        self.traffic.taken = 0
        return connection

    def raw(self) -> socket.socket:
        """A browser that answers no ping."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(handshake())
        return client


class Build(Protocol):
    def __call__(self, options: GatewayOptions = ..., **worker: Any) -> House: ...


@pytest.fixture(params=["handoff", "relay"])
def build(request: pytest.FixtureRequest) -> Iterator[Build]:
    mode = request.param
    with tempfile.TemporaryDirectory(prefix="fxg") as folder, ExitStack() as stack:
        path, give = str(Path(folder, "ui-0.sock")), str(Path(folder, "ui-0.give"))

        def start(options: GatewayOptions = DEFAULT, **worker: Any) -> House:
            page, traffic = Page(), Traffic()
            limits = ConnectionLimits(client_timeout=1.0)
            ui = Running(
                Counted(page, traffic),
                bind_unix(path),
                ws=PageProtocol,
                limits=ConnectionLimits(max_head_bytes=80 * 1024, client_timeout=1.0),
                jobs=lambda server: [HandoffListener(give, server, traffic).run],
                ws_max_size=options.ws_max_message_bytes,
                **worker,
            )
            stack.callback(ui.stop)
            handoff = give if mode == "handoff" else None
            gateway: ASGIApp = WithLifespan(
                Gateway(echo_api, options, Fixed(Upstream("ui-0", path, handoff_path=handoff)))
            )
            front = serving(
                gateway, ws=HandoffProtocol, limits=limits, ws_max_size=300 * MB, **worker
            )
            _, port = stack.enter_context(front)
            return House(mode, port, page, traffic)

        yield start


def test_messages_of_every_kind_and_size_pass(build: Build) -> None:
    big = os.urandom(20 * MB)
    with build().open() as client:
        for message in ("text", b"bytes", "", b"", "größe😀", b"\xff", big):
            client.send(message)
            assert client.recv(timeout=30) == message
        client.send(["a", "b", "c"])
        assert client.recv(timeout=10) == "abc"


def test_the_page_sees_one_composed_handshake_and_the_browser_its_answer(build: Build) -> None:
    home = build(GatewayOptions(mount="/m", passed_headers=frozenset({b"remote-user"})))
    forged = {"X-Forwarded-Prefix": "/x", "X-Fluxlit-Who": "root", "Remote-User": "ada"}
    forged["Cookie"] = "a=\xc3\xb6" + "c" * 60_000
    with home.open(additional_headers=forged) as client:
        assert client.subprotocol == "streamlit"
        assert client.response is not None
        assert client.response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        client.send("there")
        assert client.recv(timeout=10) == "there"
    page = home.page
    assert page.scopes[-1]["raw_path"] == b"/m/_stcore/stream"
    assert page.scopes[-1]["query_string"] == b"a=%2F"
    assert page.scopes[-1]["subprotocols"] == OFFERED
    assert page.header(b"host") == [f"127.0.0.1:{home.port}".encode()]
    assert page.header(b"x-forwarded-prefix") == [b"/m"]
    assert page.header(b"x-forwarded-for") == [b"127.0.0.1"]
    assert page.header(b"x-fluxlit-who") == []
    assert page.header(b"remote-user") == [b"ada"]
    assert page.header(b"cookie") == [forged["Cookie"].encode("latin-1")]
    assert len(page.header(b"x-request-id")) == 1


@pytest.mark.parametrize("frame", [(1000, ""), (1001, "bye"), (3001, "größe"), (4999, "x" * 123)])
def test_how_one_side_closes_is_what_the_other_sees(build: Build, frame: tuple[int, str]) -> None:
    home = build()
    with home.open() as client:
        client.close(*frame)
    until(lambda: home.page.ends, "the page is not told")
    assert (home.page.ends[0]["code"], home.page.ends[0].get("reason", "")) == frame

    async def leave(_: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": frame[0], "reason": frame[1]})

    home.page.part = leave
    with home.open() as client:
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert (client.close_code, client.close_reason) == frame


def test_a_client_that_vanishes_is_noticed(build: Build) -> None:
    home = build()
    client = home.open()
    client.socket.close()
    until(lambda: home.page.ends, "the page is not told")


def test_a_refusal_of_the_page_is_the_browsers(build: Build) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        build().open("/_stcore/refused")
    assert refusal.value.response.status_code == 403
    assert refusal.value.response.body == b"not you"


def test_a_cross_site_handshake_never_reaches_the_page(build: Build) -> None:
    home = build()
    with pytest.raises(InvalidStatus) as refusal:
        home.open(origin=Origin("http://evil.example"))
    assert refusal.value.response.status_code == 403
    assert home.page.scopes == []


def test_a_message_of_the_limit_passes_and_one_byte_more_closes_with_1009(build: Build) -> None:
    home = build(GatewayOptions(ws_max_message_bytes=1000))
    with home.open() as client:
        client.send(b"x" * 1000)
        assert client.recv(timeout=10) == b"x" * 1000
        client.send(b"x" * 1001)
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == 1009


def test_the_limit_holds_for_what_the_page_sends(build: Build) -> None:
    home = build(GatewayOptions(ws_max_message_bytes=1000))

    async def shout(receive: Receive, send: Send) -> None:
        await send({"type": "websocket.send", "bytes": b"x" * 1000})
        await send({"type": "websocket.send", "text": "é" * 501})
        await receive()

    home.page.part = shout
    with home.open() as client:
        assert client.recv(timeout=10) == b"x" * 1000
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == 1009


def test_an_idle_browser_is_pinged_and_one_that_does_not_answer_is_left(build: Build) -> None:
    home = build(ws_ping_interval=0.1, ws_ping_timeout=0.3)
    with home.open() as client:
        time.sleep(1)  # several intervals in which only pings pass
        client.send("alive")
        assert client.recv(timeout=10) == "alive"
    with home.raw() as deaf:
        assert receive_all(deaf).endswith(b"\x03\xf3keepalive ping timeout")  # 1011
    until(lambda: len(home.page.ends) == 2, "the page is not told")


def test_a_browser_that_reads_nothing_is_cut_and_its_page_is_told(build: Build) -> None:
    home = build()
    told: list[str] = []

    async def shout(_: Receive, send: Send) -> None:
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(MB)})
        except OSError:
            told.append("gone")
            raise

    home.page.part = shout
    with home.open(max_queue=1) as client:
        until(lambda: told, "the page is not told")
        client.socket.close()


def test_a_slow_browser_gets_all_of_a_message_however_late_its_pong(build: Build) -> None:
    home = build(ws_ping_interval=0.1, ws_ping_timeout=0.2)

    async def shout(receive: Receive, send: Send) -> None:
        await send({"type": "websocket.send", "bytes": bytes(30 * MB)})
        await receive()

    home.page.part = shout
    with home.raw() as slow:
        total = 0
        while data := slow.recv(MB):
            total += len(data)
            time.sleep(0.01 if total < 30 * MB else 0)
    assert total > 30 * MB

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.gateway.harness import DEFAULT, BuildHouse, Conn, Fixed, Serve, echo_api
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, unix_serve
from websockets.typing import Origin, Subprotocol

from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.gateway.websocket_relay import CloseFrame, close_towards_upstream, cut_reason

if TYPE_CHECKING:
    from pathlib import Path


MB = 1024 * 1024
OFFERED = ["streamlit", "2|xsrf|token", "session-id"]

Handler = Callable[[ServerConnection], None]

pytestmark = pytest.mark.integration


class SocketHouse:
    """A gateway before a WebSocket server whose handler each test sets."""

    def __init__(self, path: Path) -> None:
        self.handler: Handler = echo
        self.requests: list[Request] = []
        self.refuse_with: int | None = None
        self.upstream = unix_serve(
            self._handle,
            str(path),
            max_size=None,
            compression=None,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            process_request=self._note,
            process_response=self._add_cookies,
        )
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.port = 0

    def _handle(self, connection: ServerConnection) -> None:
        self.handler(connection)

    def _note(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refuse_with is None:
            return None
        return connection.respond(self.refuse_with, "not you")

    def _add_cookies(self, _: ServerConnection, __: Request, response: Response) -> None:
        response.headers["Set-Cookie"] = "a=1"
        response.headers["Set-Cookie"] = "b=2"

    def open(
        self, *, origin: str | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream?a=%2F",
            max_size=None,
            proxy=None,
            compression=None,
            origin=None if origin is None else Origin(origin),
            additional_headers=headers,
            subprotocols=[Subprotocol(name) for name in OFFERED],
        )

    def received(self, name: str) -> list[str]:
        return self.requests[-1].headers.get_all(name)


class OpenHouse(Protocol):
    def __call__(self, options: GatewayOptions = DEFAULT) -> SocketHouse: ...


@pytest.fixture
def sockets(run_dir: Path, serve: Serve) -> Iterator[OpenHouse]:
    path = run_dir / "ui-0.sock"
    homes: list[SocketHouse] = []

    def build(options: GatewayOptions = DEFAULT) -> SocketHouse:
        home = SocketHouse(path)
        home.port = serve(Gateway(echo_api, options, Fixed(Upstream("ui-0", str(path))))).port
        homes.append(home)
        return home

    yield build
    for home in homes:
        home.upstream.shutdown()


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


def test_messages_keep_their_kind(sockets: OpenHouse) -> None:
    with sockets().open() as client:
        for message in ("text", b"bytes", "", b"", "größe😀", b"\xff"):
            client.send(message)
            assert client.recv(timeout=10) == message


def test_messages_of_twenty_megabytes_pass_both_ways(sockets: OpenHouse) -> None:
    big = bytes(range(256)) * (20 * MB // 256)
    with sockets().open() as client:
        client.send(big)
        assert client.recv(timeout=30) == big
        client.send("x" * (20 * MB))
        assert client.recv(timeout=30) == "x" * (20 * MB)


def test_a_fragmented_message_arrives_whole(sockets: OpenHouse) -> None:
    with sockets().open() as client:
        client.send(["a", "b", "c"])
        assert client.recv(timeout=10) == "abc"


def test_the_handshake_carries_each_header_once(sockets: OpenHouse) -> None:
    home = sockets(GatewayOptions(mount="/m"))
    forged = (
        ("X-Forwarded-Prefix", "/forged"),
        ("X-Fluxlit-Who", "root"),
        ("Cookie", "a=\xc3\xb6"),
    )
    with home.open(headers=forged) as client:
        assert client.subprotocol == "streamlit"
        assert client.response is not None
        assert client.response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert client.response.headers.get_all("X-Request-ID")
    assert home.requests[-1].path == "/m/_stcore/stream?a=%2F"
    assert home.received("Host") == [f"127.0.0.1:{home.port}"]
    assert home.received("Sec-WebSocket-Protocol") == [", ".join(OFFERED)]
    assert home.received("Sec-WebSocket-Version") == ["13"]
    assert home.received("X-Forwarded-Prefix") == ["/m"]
    assert home.received("X-Forwarded-Proto") == ["http"]
    assert home.received("X-Fluxlit-Who") == []
    assert home.received("Cookie") == ["a=\xc3\xb6"]
    assert len(home.received("X-Request-ID")) == 1


@pytest.mark.parametrize("frame", [(1000, ""), (1001, "bye"), (3001, "größe"), (4999, "x" * 123)])
def test_how_the_upstream_closes_is_what_the_client_sees(
    sockets: OpenHouse, frame: tuple[int, str]
) -> None:
    home = sockets()
    home.handler = lambda connection: connection.close(*frame)
    with home.open() as client:
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert (client.close_code, client.close_reason) == frame


@pytest.mark.parametrize("frame", [(1000, ""), (1001, "bye"), (3001, "größe"), (4999, "x" * 123)])
def test_how_the_client_closes_is_what_the_upstream_sees(
    sockets: OpenHouse, frame: tuple[int, str]
) -> None:
    home = sockets()
    seen: list[tuple[int | None, str | None]] = []
    done = threading.Event()

    def handler(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            connection.recv()
        seen.append((connection.close_code, connection.close_reason))
        done.set()

    home.handler = handler
    with home.open() as client:
        client.close(*frame)
    assert done.wait(10)
    assert seen == [frame]


def test_a_client_that_vanishes_is_going_away(sockets: OpenHouse) -> None:
    home = sockets()
    seen: list[int | None] = []
    done = threading.Event()

    def handler(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            connection.recv()
        seen.append(connection.close_code)
        done.set()

    home.handler = handler
    client = home.open()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.shutdown(socket.SHUT_RDWR)
    assert done.wait(10)
    assert seen == [CloseCode.GOING_AWAY]


def test_an_upstream_that_vanishes_is_an_internal_error(sockets: OpenHouse) -> None:
    home = sockets()
    home.handler = lambda connection: connection.socket.shutdown(socket.SHUT_RDWR)
    with home.open() as client:
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == CloseCode.INTERNAL_ERROR


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_of_the_upstream_is_the_clients(sockets: OpenHouse, status: int) -> None:
    home = sockets()
    home.refuse_with = status
    with pytest.raises(InvalidStatus) as refusal:
        home.open()
    assert refusal.value.response.status_code == status
    assert refusal.value.response.body == b"not you"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://a:²".encode().decode("latin-1")]
)
def test_a_cross_site_websocket_is_refused(sockets: OpenHouse, origin: str) -> None:
    home = sockets(GatewayOptions(public_base_url="https://public.example"))
    with pytest.raises(InvalidStatus) as refusal:
        home.open(origin=origin)
    assert refusal.value.response.status_code == 403
    assert home.requests == []


def test_the_public_origin_is_what_the_upstream_sees_as_host(sockets: OpenHouse) -> None:
    home = sockets(GatewayOptions(public_base_url="https://public.example/m"))
    with home.open(origin="https://public.example"):
        assert home.received("Host") == ["public.example"]
        assert home.received("Origin") == ["https://public.example"]
    with home.open(origin=f"http://127.0.0.1:{home.port}"):
        assert home.received("Host") == [f"127.0.0.1:{home.port}"]


def test_a_message_over_the_limit_closes_with_1009(sockets: OpenHouse) -> None:
    home = sockets(GatewayOptions(ws_max_message_bytes=1000))
    with home.open() as client:
        client.send(b"x" * 1000)
        assert client.recv(timeout=10) == b"x" * 1000
        client.send(b"x" * 1001)
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == CloseCode.MESSAGE_TOO_BIG
    home.handler = lambda connection: connection.send(b"x" * 1001)
    with home.open() as client:
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        assert client.close_code == CloseCode.MESSAGE_TOO_BIG


def test_nobody_listens_yet(run_dir: Path, serve: Serve) -> None:
    upstream = Upstream("ui-0", str(run_dir / "none.sock"))
    server = serve(Gateway(echo_api, GatewayOptions(page_patience=0.1), Fixed(upstream)))
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", proxy=None)
    assert refusal.value.response.status_code == 503
    assert refusal.value.response.headers["Retry-After"] == "1"


def test_a_handshake_without_an_answer_times_out(house: BuildHouse) -> None:
    home = house(GatewayOptions(ws_open_timeout=0.2))
    home.upstream.script = lambda conn: conn.until_closed()
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{home.server.port}/_stcore/stream", proxy=None)
    assert refusal.value.response.status_code == 504


@pytest.mark.parametrize(
    "answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"]
)
def test_a_broken_handshake_is_a_bad_gateway(house: BuildHouse, answer: bytes) -> None:
    home = house()

    def script(conn: Conn) -> None:
        conn.head()
        conn.send(answer)

    home.upstream.script = script
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{home.server.port}/_stcore/stream", proxy=None)
    assert refusal.value.response.status_code == 502


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ({"code": 1000, "reason": ""}, CloseFrame(1000, "")),
        ({"code": 1005, "reason": ""}, CloseFrame(1000, "")),
        ({"code": 1005}, CloseFrame(1001, "the client vanished")),
        ({"code": 1006, "reason": None}, CloseFrame(1001, "the client vanished")),
        ({}, CloseFrame(1001, "the client vanished")),
        ({"code": 4000, "reason": "ö" * 100}, CloseFrame(4000, "ö" * 61)),
    ],
)
def test_how_a_client_left(message: dict[str, object], frame: CloseFrame) -> None:
    assert close_towards_upstream({"type": "websocket.disconnect", **message}) == frame


def test_a_reason_is_cut_between_characters() -> None:
    assert len(cut_reason("😀" * 40).encode()) == 120

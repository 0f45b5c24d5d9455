"""The bounds of a connection, and what hostile or confused clients send, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from tests.support.servers import (
    LOOPS,
    Running,
    handshake,
    receive_all,
    receive_until,
    serving,
    until,
)

from fluxlit._types import Receive, Scope, Send
from fluxlit.workers.limits import ConnectionLimits

pytestmark = pytest.mark.integration

KB = 1024
LIMITS = ConnectionLimits(max_head_bytes=2000, head_timeout=0.3, client_timeout=0.3)
OK = [(b"content-length", b"2")]


class Api:
    """Notes the requests that reach it, answers with "ok", or streams, or waits."""

    def __init__(self) -> None:
        self.seen: list[Scope] = []
        self.bodies: list[bytes] = []
        self.release = threading.Event()
        self.ended = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        if scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 200, "headers": OK})
            await send({"type": "http.response.body", "body": b"ok"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.ended.set()
                return
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        if scope["path"] == "/endless":
            await self._stream(send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": OK})
            await send({"type": "http.response.body", "body": b"ok"})

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
        self.ended.set()

    @property
    def targets(self) -> list[bytes]:
        return [scope["raw_path"] for scope in self.seen]


class Front:
    """A server with tight limits and the app behind it."""

    def __init__(self, api: Api, server: Running, port: int) -> None:
        self.api = api
        self.server = server
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, *pieces: bytes) -> bytes:
        """Send pieces, and return all that comes until the server closes."""
        with self.connect() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.sendall(piece)
            return receive_all(client)


@pytest.fixture(params=LOOPS)
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    api = Api()
    with serving(api, limits=LIMITS, loop=request.param, timeout_keep_alive=1) as (server, port):
        yield Front(api, server, port)


def request_of(size: int) -> bytes:
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def test_a_head_of_the_limit_passes_and_one_byte_more_does_not(front: Front) -> None:
    with front.connect() as client:
        client.sendall(request_of(2000))
        assert receive_until(client, b"ok").startswith(b"HTTP/1.1 200")
    answer = front.say(request_of(2001))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer
    assert len(front.api.seen) == 1


def test_a_head_without_an_end_is_refused_while_it_is_being_sent(front: Front) -> None:
    """However much the client has to say: it is told why, and not just cut off."""
    answer = front.say(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 300 * KB)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_head_that_begins_behind_a_request_has_its_time_too(front: Front) -> None:
    answer = front.say(request_of(100) + b"G")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_a_body_that_nobody_waits_for_does_not_keep_the_connection(front: Front) -> None:
    answer = front.say(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_websocket_outlives_the_idle_time_of_the_connection_that_it_took(front: Front) -> None:
    with front.connect() as client:
        client.sendall(request_of(100))
        receive_until(client, b"ok")
        client.sendall(handshake())
        receive_until(client, b"\r\n\r\n")
        client.settimeout(1.5)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_trailers_without_an_end_are_refused(front: Front) -> None:
    start = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: "
    assert front.say(start, b"y" * 600 * KB).startswith(b"HTTP/1.1 431 ")
    assert front.api.ended.wait(5)
    assert front.api.bodies == []


def test_a_body_may_be_larger_than_a_head(front: Front) -> None:
    with front.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
        client.sendall(bytes(300_000))
        assert receive_until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert front.api.bodies == [bytes(300_000)]


def test_a_head_that_does_not_end_in_time_is_answered_with_408(front: Front) -> None:
    assert front.say(b"GET / HTTP/1.1\r\nHo").startswith(b"HTTP/1.1 408 ")
    assert front.say(b"\r\n").startswith(b"HTTP/1.1 408 ")


def test_the_time_of_a_head_is_not_renewed_by_its_bytes(front: Front) -> None:
    stop = threading.Event()
    with front.connect() as client:

        def drip() -> None:
            while not stop.wait(0.05):
                client.sendall(b"x")

        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        dripping = threading.Thread(target=drip)
        dripping.start()
        assert receive_until(client, b"in time").startswith(b"HTTP/1.1 408 ")
        stop.set()
        dripping.join(5)


def test_a_connection_on_which_nothing_is_said_is_closed_without_a_word(front: Front) -> None:
    assert front.say() == b""


def test_an_idle_connection_is_closed_and_a_slow_second_head_is_refused(front: Front) -> None:
    first = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert front.say(first).endswith(b"ok")
    with front.connect() as client:
        client.sendall(first)
        receive_until(client, b"ok")
        client.sendall(b"GET")
        assert receive_all(client).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_stops_reading_is_cut_and_a_slow_one_is_not(front: Front) -> None:
    request = b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"
    with front.connect() as dead:
        dead.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        dead.sendall(request)
        until(lambda: front.api.seen and not front.server.connections, "it is not cut")
    front.api.ended.clear()
    with front.connect() as slow:
        slow.sendall(request)
        total = 0
        while total < 100_000_000 and (data := slow.recv(1 << 20)):
            total += len(data)
        assert total >= 100_000_000


def test_trailers_are_not_headers(front: Front) -> None:
    with front.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-user\r\n\r\n"
            b"2\r\nhi\r\n0\r\nX-User: root\r\n\r\n"
        )
        assert receive_until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert front.api.bodies == [b"hi"]
    assert b"x-user" not in dict(front.api.seen[0]["headers"])


def test_an_unwanted_upgrade_is_an_ordinary_request_and_the_next_one_is_served(
    front: Front,
) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    with front.connect() as client:
        client.sendall(
            b"GET /1 HTTP/1.1\r\nHost: a\r\n" + upgrade + b"\r\n\r\n"
            b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert receive_all(client).count(b"HTTP/1.1 200") == 2
    assert front.api.targets == [b"/1", b"/2"]


def test_pipelined_requests_are_answered_in_order_and_a_bad_one_ends_it(front: Front) -> None:
    good = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = front.say(good + b"GET /2 HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"400 Bad Request" not in answer.partition(b"ok")[0]
    assert front.api.targets == [b"/1"]


REFUSED = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "NUL in the target": b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare CR in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "a folded first line": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "a signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    "a length list": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
    "a huge length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunked not last": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "folded coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bad chunk size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a negative chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "target of another host": b"GET http://evil/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
    "no path": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/3.7": b"GET / HTTP/3.7\r\nHost: a\r\n\r\n",
    "an upgrade with a body": handshake(b"Content-Length: 5") + b"hello",
    "an upgrade with chunks": handshake(b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "an upgrade by POST": handshake(method=b"POST"),
    "an upgrade to raw bytes": handshake(target=b"/\xc3\xa9"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_request_is_answered_400_once_and_reaches_no_app(
    front: Front, what: str
) -> None:
    answer = front.say(REFUSED[what])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert front.api.bodies == []
    assert b"/smuggled" not in front.api.targets


ACCEPTED = {
    "absolute form": (b"GET http://a/x?q=1 HTTP/1.1\r\nHost: a\r\n", b"/x"),
    "HTTP/1.0 without Host": (b"GET /x HTTP/1.0\r\n", b"/x"),
    "dots and escapes stay": (b"GET /a/../b%2Fc%00 HTTP/1.1\r\nHost: a\r\n", b"/a/../b%2Fc%00"),
    "blank lines before": (b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n", b"/x"),
    "Latin-1 in a value": (b"GET /x HTTP/1.1\r\nHost: a\r\nX: \xe9\xff\r\n", b"/x"),
    "bytes behind a closing request": (b"GET /x HTTP/1.1\r\nHost: a\r\n", b"/x"),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_is_odd_but_allowed_is_served(front: Front, what: str) -> None:
    head, path = ACCEPTED[what]
    answer = front.say(head + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert front.api.targets == [path]


def test_a_handshake_behind_an_unfinished_answer_is_not_mixed_with_it(front: Front) -> None:
    with front.connect() as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n" + handshake())
        received = receive_all(client)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 101" not in received
    assert front.api.targets == [b"/endless"]


def test_chunks_in_http_1_0_end_the_connection(front: Front) -> None:
    """RFC 9112 section 6.1: their framing is not to be relied on for anything that follows."""
    chunked = b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = front.say(chunked + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert front.api.targets == [b"/"]

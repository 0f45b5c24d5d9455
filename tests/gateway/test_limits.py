"""The limits of the UI's way at their edges, and that nobody's slowness is another's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.gateway.harness import BuildHouse, Conn, EventFlag, House, parse_reply, read_all

from fluxlit.gateway import GatewayOptions

pytestmark = pytest.mark.integration

CROWD = 300


@contextlib.contextmanager
def crowd(home: House, data: bytes, count: int = CROWD) -> Iterator[list[socket.socket]]:
    """Clients that each say the same and then nothing."""
    clients: list[socket.socket] = []
    try:
        for _ in range(count):
            clients.append(home.server.connect())
            clients[-1].sendall(data)
        yield clients
    finally:
        for client in clients:
            client.close()


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(house: BuildHouse) -> None:
    home = house(GatewayOptions(max_body_bytes=100_000))

    def script(conn: Conn) -> None:
        while conn.head():
            conn.body(100_000)
            conn.ok()

    home.upstream.script = script
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert parse_reply(home.server.raw(head % 100_000 + bytes(100_000))).status == 200
    before = home.upstream.connections
    too_large = parse_reply(home.server.raw(head % 100_001))
    assert (too_large.status, too_large.header(b"connection")) == (413, b"close")
    assert home.upstream.connections == before  # told by its length, before anything is done


def test_an_unannounced_body_is_cut_at_the_limit_and_the_client_gets_to_read_why(
    house: BuildHouse,
) -> None:
    """It is still sending megabytes; a connection that was reset would lose the answer."""
    home = house(GatewayOptions(max_body_bytes=100_000))
    home.upstream.script = lambda conn: conn.until_closed()
    with home.server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(200):
            client.sendall(b"8000\r\n" + bytes(0x8000) + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        reply = parse_reply(read_all(client))
    assert (reply.status, reply.complete) == (413, True)
    assert reply.header(b"connection") == b"close"


def test_an_upload_that_stalls_is_ended(house: BuildHouse) -> None:
    home = house(GatewayOptions(client_timeout=0.2))
    home.upstream.script = lambda conn: conn.until_closed()
    with home.server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf ")
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_as_many_requests_as_allowed_wait_for_the_ui_and_the_next_one_is_told_to_come_back(
    house: BuildHouse,
) -> None:
    home = house(GatewayOptions(max_waiting=2, queue_timeout=0.2))
    arrived, leave = threading.Semaphore(0), EventFlag()

    def script(conn: Conn) -> None:
        while head := conn.head():
            if b"/slow" in head:
                arrived.release()
                leave.expect("nobody let the slow requests go")
            conn.ok()

    home.upstream.script = script
    with crowd(home, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", 2) as clients:
        assert arrived.acquire(timeout=10)
        assert arrived.acquire(timeout=10)
        reply = home.server.get(b"/")
        assert (reply.status, reply.header(b"retry-after")) == (503, b"2")
        page = home.server.get(b"/", b"Accept: text/html")
        assert b"The app is busy" in page.body
        leave.set()
        assert all(client.recv(1000).startswith(b"HTTP/1.1 200") for client in clients)
    assert home.server.get(b"/").status == 200


@pytest.mark.parametrize("limits", [{}, {"max_waiting": 8, "queue_timeout": 5}])
def test_stalled_uploads_leave_room_for_an_honest_page(
    house: BuildHouse, limits: dict[str, int]
) -> None:
    home = house(GatewayOptions(**limits))  # type: ignore[arg-type]

    def script(conn: Conn) -> None:
        while (head := conn.head()) and b"POST" not in head:
            conn.ok()
        conn.until_closed()

    home.upstream.script = script
    stalled = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf "
    with crowd(home, stalled):
        assert [home.server.get(b"/").status for _ in range(20)] == [200] * 20


@pytest.mark.parametrize("limits", [{}, {"max_waiting": 8, "queue_timeout": 5}])
def test_answers_that_trickle_leave_room_for_an_honest_page(
    house: BuildHouse, limits: dict[str, int]
) -> None:
    """They have begun, so the UI is not what they wait for."""
    home = house(GatewayOptions(**limits))  # type: ignore[arg-type]

    def script(conn: Conn) -> None:
        while (head := conn.head()) and b"/stream" not in head:
            conn.ok()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        conn.until_closed()

    home.upstream.script = script
    with crowd(home, b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n") as clients:
        assert all(client.recv(1000).startswith(b"HTTP/1.1 200") for client in clients)
        assert [home.server.get(b"/").status for _ in range(20)] == [200] * 20


def test_one_visitor_s_slow_requests_leave_room_for_another_s(house: BuildHouse) -> None:
    options = GatewayOptions(max_waiting=8, queue_timeout=5, trusted_proxies=("127.0.0.1",))
    home = house(options)
    leave = EventFlag()

    def script(conn: Conn) -> None:
        while head := conn.head():
            if b"/slow" in head:
                leave.wait(20)
            conn.ok()

    home.upstream.script = script
    slow = b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.6\r\n\r\n"
    with crowd(home, slow, 100):
        replies = [home.server.get(b"/", b"X-Forwarded-For: 203.0.113.7") for _ in range(20)]
        assert [reply.status for reply in replies] == [200] * 20
        leave.set()

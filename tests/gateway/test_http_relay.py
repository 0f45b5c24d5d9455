from __future__ import annotations

import re
import socket
import struct
import threading
import time

import pytest
from tests.gateway.harness import BuildHouse, Conn, EventFlag, House

from fluxlit.gateway import GatewayOptions
from fluxlit.gateway.routing import target_of

pytestmark = pytest.mark.integration

COOKIE = "name=größe😀".encode()


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/a%2Fb",
        b"/a%3Fb?c=%2F&d",
        b"/x/../api/echo",
        b"/%zz/%",
        b"/a//b/./c;p=1?q=1?2&x=a+b",
        b"/%F0%9F%98%80/%ff",
        b"/%01%00%7f",
        b"/gr%c3%b6%C3%9Fe",
    ],
)
def test_a_target_reaches_the_upstream_byte_for_byte(plain: House, target: bytes) -> None:
    assert plain.server.get(target).body == b"ok"
    assert plain.upstream.target == target


@pytest.mark.parametrize(
    "target", [b"/a\x01b", b"/a\x7fb", b"/a\xff", b"/?\xc3\xb6", b"/a b", b"x"]
)
def test_a_malformed_target_is_a_bad_request_or_passes_escaped(plain: House, target: bytes) -> None:
    assert plain.server.get(target).status in {200, 400}


def test_what_would_break_the_request_line_is_escaped() -> None:
    assert target_of(b"/a b\r\n\x7f", b"c d\n") == b"/a%20b%0D%0A%7F?c%20d%0A"
    assert target_of(b"", b"") == b"/"


def test_the_client_library_adds_no_header_of_its_own(plain: House) -> None:
    plain.server.get(b"/")
    names = [name for name, _ in plain.upstream.headers()]
    expected = ["host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"]
    assert names == [name.encode() for name in [*expected, "x-forwarded-for", "x-request-id"]]


def test_header_bytes_survive_both_ways(plain: House) -> None:
    def script(conn: Conn) -> None:
        plain.upstream.heads.append(conn.head())
        conn.ok(b"", b"X-Latin: \xe9", b"Set-Cookie: a=" + COOKIE, b"Set-Cookie: b=2; path=/")

    plain.upstream.script = script
    reply = plain.server.get(b"/", b"Cookie: " + COOKIE, b"X-Latin: \xe9")
    assert (b"cookie", COOKIE) in plain.upstream.headers()
    assert (b"x-latin", b"\xe9") in plain.upstream.headers()
    assert reply.header(b"x-latin") == b"\xe9"
    assert reply.all(b"set-cookie") == [b"a=" + COOKIE, b"b=2; path=/"]


def test_hop_by_hop_and_forged_headers_do_not_pass(plain: House) -> None:
    sent = [
        b"X-Forwarded-Prefix: /forged",
        b"X-Forwarded-For: 6.6.6.6",
        b"X-Remote-User: root",
        b"X-Fluxlit-Identity: root",
        b"Proxy-Authorization: Basic x",
        b"TE: trailers",
        b"X-Hop: 1",
        b"Connection: X-Hop",
    ]
    plain.server.get(b"/", *sent)
    received = dict(plain.upstream.headers())
    assert received[b"x-forwarded-for"] == b"127.0.0.1"
    gone = {b"x-forwarded-prefix", b"x-remote-user", b"x-fluxlit-identity", b"te", b"x-hop"}
    assert not gone & set(received)


def test_the_upstreams_hop_does_not_pass_either(plain: House) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.ok(
            b"x", b"Keep-Alive: timeout=5", b"TE: x", b"Connection: X-Hop", b"X-Hop: 1", b"A: b"
        )

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert [reply.header(name) for name in (b"keep-alive", b"te", b"x-hop")] == [None] * 3
    assert (reply.header(b"a"), reply.all(b"connection")) == (b"b", [b"close"])


@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"304 Not Modified", b"404 X"])
def test_a_status_passes_with_its_framing(plain: House, status: bytes) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 %b\r\nETag: x\r\nContent-Length: 0\r\n\r\n" % status)

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert reply.status == int(status[:3])
    assert reply.body == b""
    assert reply.header(b"etag") == b"x"
    assert reply.header(b"transfer-encoding") is None


def test_head_keeps_the_length_and_the_connection(plain: House) -> None:
    def script(conn: Conn) -> None:
        while head := conn.head():
            assert head.startswith(b"HEAD")
            conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n")

    plain.upstream.script = script
    before = plain.upstream.connections
    replies = [plain.server.get(b"/", method=b"HEAD") for _ in range(2)]
    assert [reply.header(b"content-length") for reply in replies] == [b"1234"] * 2
    assert [reply.body for reply in replies] == [b""] * 2
    assert plain.upstream.connections <= before + 1


def test_redirects_and_encodings_are_the_clients_business(plain: House) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(
            b"HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-encoding: gzip\r\n"
            b"content-length: 3\r\n\r\nxyz"
        )

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert (reply.status, reply.body, reply.header(b"location")) == (302, b"xyz", b"/b")


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"DELETE"])
def test_a_body_with_a_length_keeps_it(plain: House, method: bytes) -> None:
    bodies: list[bytes] = []

    def script(conn: Conn) -> None:
        plain.upstream.heads.append(conn.head())
        bodies.append(conn.body(5))
        conn.ok()

    plain.upstream.script = script
    request = b"%b / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    assert b" 200 " in plain.server.raw(request % method)
    assert bodies == [b"hello"]
    assert (b"content-length", b"5") in plain.upstream.headers()


def test_a_chunked_body_stays_chunked(plain: House) -> None:
    received: list[bytes] = []

    def script(conn: Conn) -> None:
        plain.upstream.heads.append(conn.head())
        received.append(conn.body(20))
        conn.ok()

    plain.upstream.script = script
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 200 " in plain.server.raw(head + b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
    assert received[0].replace(b"\r\n5\r\n", b"") in {
        b"a\r\nhelloworld\r\n0\r\n\r\n",
        b"5\r\nhelloworld\r\n0\r\n\r\n",
    }
    assert (b"transfer-encoding", b"chunked") in plain.upstream.headers()


def test_expect_continue_is_answered_by_the_gateways_server(plain: House) -> None:
    def script(conn: Conn) -> None:
        plain.upstream.heads.append(conn.head())
        conn.body(2)
        conn.ok(b"got it")

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(b"hi")
        assert b"got it" in client.recv(1000)
    assert b"expect" not in dict(plain.upstream.headers())


def test_interim_responses_and_trailers_stay_with_the_gateway(plain: House) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        conn.send(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"
        )

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert (reply.status, reply.body, reply.complete) == (200, b"ok", True)
    assert (reply.header(b"link"), reply.header(b"x-t")) == (None, None)


def test_a_body_that_ends_with_its_connection_is_complete(plain: House) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert (reply.body, reply.complete) == (b"all of it", True)


def test_events_arrive_one_by_one(plain: House) -> None:
    go_on = EventFlag()

    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nevent 1\r\n")
        go_on.expect("the client has not seen the first event")
        conn.send(b"7\r\nevent 2\r\n0\r\n\r\n")

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        seen = b""
        while b"event 1" not in seen:
            seen += client.recv(1000)
        go_on.set()
        while b"event 2" not in seen:
            seen += client.recv(1000)


@pytest.mark.parametrize(
    "rest", [b"content-length: 10\r\n\r\nhalf", b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
def test_a_response_that_breaks_off_arrives_broken_off(plain: House, rest: bytes) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\n" + rest)

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert (reply.status, reply.body, reply.complete) == (200, b"half", False)


@pytest.mark.parametrize("rubbish", [b"", b"HTTP/1.1 2", b"SSH-2.0-x\r\n\r\n"])
def test_no_response_head_is_a_bad_gateway(plain: House, rubbish: bytes) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(rubbish)

    plain.upstream.script = script
    reply = plain.server.get(b"/")
    assert reply.status == 502
    assert b"detail" in reply.body
    assert b"Traceback" not in reply.body


def one_answer(conn: Conn) -> None:
    """Answer the first request of a connection; hang up on the second."""
    head = conn.head()
    length = re.search(rb"content-length: (\d+)", head)
    conn.body(int(length[1]) if length else 0)
    conn.ok(b"first")
    conn.head()


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_a_kept_connection_that_dies_is_replaced(plain: House, method: bytes) -> None:
    plain.upstream.script = one_answer
    before = plain.upstream.connections
    assert plain.server.get(b"/").status == 200
    assert plain.server.get(b"/", method=method).status == 200
    assert plain.upstream.connections == before + 2


def test_an_upload_never_meets_a_kept_connection(plain: House) -> None:
    plain.upstream.script = one_answer
    before = plain.upstream.connections
    request = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    assert plain.server.get(b"/").status == 200
    assert plain.server.raw(request).endswith(b"first")
    assert plain.upstream.connections == before + 2


def test_a_client_that_leaves_ends_the_upstreams_work(plain: House) -> None:
    waiting, ended = EventFlag(), EventFlag()

    def script(conn: Conn) -> None:
        conn.head()
        waiting.set()
        conn.until_closed()
        ended.set()

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        waiting.expect("the request did not arrive")
    ended.expect("the upstream still works for nobody")


def test_a_client_that_leaves_during_a_download_ends_it(plain: House) -> None:
    ended = EventFlag()

    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                conn.send(b"x" * 65536)
        except OSError:
            ended.set()

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(1000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ended.expect("the download goes on")


def test_a_client_that_leaves_during_an_upload_ends_it(plain: House) -> None:
    arrived, ended = EventFlag(), EventFlag()

    def script(conn: Conn) -> None:
        conn.head()
        conn.body(4)
        arrived.set()
        conn.until_closed()
        ended.set()

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\npart")
        arrived.expect("the first piece was not passed on")
    ended.expect("the upload goes on")


def test_an_answer_before_the_upload_is_over_passes(plain: House) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\npart")
        reply = client.recv(1000)
    assert b" 403 " in reply


@pytest.mark.parametrize("framing", [b"Content-Length: 99", b"Transfer-Encoding: chunked"])
def test_an_unfinished_upload_never_swallows_the_next_visitors_request(
    plain: House, framing: bytes
) -> None:
    def script(conn: Conn) -> None:
        head = conn.head()
        plain.upstream.heads.append(head)
        conn.ok()  # and the connection stays open, as HTTP/1.1 has it
        if head.startswith(b"PUT"):
            conn.until_closed()

    plain.upstream.script = script
    with plain.server.connect() as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
        assert b" 200 " in client.recv(1000)
        client.settimeout(2)
        assert plain.server.get(b"/next").body == b"ok"
    assert plain.upstream.target == b"/next"


def test_a_request_that_a_kept_connection_does_not_answer_is_not_sent_again(
    house: BuildHouse,
) -> None:
    """The UI may be working on it."""
    home = house(GatewayOptions(read_timeout=0.2))

    def script(conn: Conn) -> None:
        home.upstream.heads.append(conn.head())
        conn.ok()
        home.upstream.heads.append(conn.head())
        conn.until_closed()

    home.upstream.script = script
    before = len(home.upstream.heads)
    assert home.server.get(b"/").status == 200
    assert home.server.get(b"/").status == 504
    assert len(home.upstream.heads) == before + 2


def test_no_answer_in_time_is_a_gateway_timeout(house: BuildHouse) -> None:
    home = house(GatewayOptions(read_timeout=0.2))
    home.upstream.script = lambda conn: conn.until_closed()
    assert home.server.get(b"/").status == 504
    upload = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    assert b" 504 " in home.server.raw(upload)


def test_a_slow_upload_is_not_a_slow_upstream(house: BuildHouse) -> None:
    home = house(GatewayOptions(read_timeout=0.3))

    def script(conn: Conn) -> None:
        conn.head()
        conn.body(2)
        conn.ok(b"stored")

    home.upstream.script = script
    with home.server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh")
        time.sleep(0.6)  # the passing of time is what is tested
        client.sendall(b"i")
        assert client.recv(1000).endswith(b"stored")


def test_a_stall_within_a_body_cuts_it_off(house: BuildHouse) -> None:
    home = house(GatewayOptions(read_timeout=0.2))

    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        conn.until_closed()

    home.upstream.script = script
    reply = home.server.get(b"/")
    assert (reply.body, reply.complete) == (b"half", False)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 6\r\n\r\n123456",
        b"Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n",
    ],
)
def test_a_body_over_the_limit_is_refused(house: BuildHouse, framing: bytes) -> None:
    home = house(GatewayOptions(max_body_bytes=5))
    home.upstream.script = lambda conn: conn.until_closed()
    reply = home.server.raw(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing)
    assert b" 413 " in reply
    assert b"connection: close" in reply


def test_a_body_at_the_limit_passes(house: BuildHouse) -> None:
    home = house(GatewayOptions(max_body_bytes=5))

    def script(conn: Conn) -> None:
        conn.head()
        conn.body(5)
        conn.ok()

    home.upstream.script = script
    request = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n12345"
    assert b" 200 " in home.server.raw(request)


def test_stalled_uploads_do_not_starve_an_honest_request(plain: House) -> None:
    arrived = threading.Semaphore(0)

    def script(conn: Conn) -> None:
        while head := conn.head():
            if head.startswith(b"POST"):
                arrived.release()
                conn.until_closed()
                return
            conn.ok()

    plain.upstream.script = script
    clients = [plain.server.connect() for _ in range(150)]
    try:
        for client in clients:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        for _ in clients:
            assert arrived.acquire(timeout=10)
        started = time.monotonic()
        assert plain.server.get(b"/").body == b"ok"
        assert time.monotonic() - started < 2
    finally:
        for client in clients:
            client.close()

"""A gateway before several UI workers, over real sockets: cookies, and workers that are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.gateway.harness import Conn, FakeUpstream, GatewayServer, Serve, echo_api
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.gateway.upstream import Member

pytestmark = pytest.mark.integration

HTML = b"Accept: text/html"


@dataclass
class Two:
    """Two workers, of which the test says whether they are there."""

    members_now: list[Member]

    def members(self) -> list[Member]:
        return self.members_now


@dataclass
class Street:
    """A gateway, the workers behind it, and how it sees them."""

    server: GatewayServer
    fakes: list[FakeUpstream]
    seen: Two

    def lose(self, slot: int) -> None:
        """Let a worker vanish before anybody has noticed."""
        self.fakes[slot].close()
        self.fakes[slot].script = hang_up  # and what is connected ends
        self.fakes[slot].path.unlink(missing_ok=True)


def hang_up(conn: Conn) -> None:
    conn.head()


def answering(fake: FakeUpstream, name: bytes) -> Callable[[Conn], None]:
    def script(conn: Conn) -> None:
        while head := conn.head():
            fake.heads.append(head)
            conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(name), name))

    return script


@pytest.fixture
def street(run_dir: Path, serve: Serve) -> Iterator[Street]:
    fakes = [FakeUpstream(run_dir / f"ui-{slot}.sock") for slot in range(2)]
    for slot, fake in enumerate(fakes):
        fake.script = answering(fake, b"ui-%d" % slot)
    seen = Two(
        [
            Member(Upstream(f"ui-{slot}", str(fake.path)), slot, slot + 1)
            for slot, fake in enumerate(fakes)
        ]
    )
    server = serve(Gateway(echo_api, GatewayOptions(secret="s3cret"), seen))
    yield Street(server, fakes, seen)
    for fake in fakes:
        fake.close()


def loaded(street: Street) -> tuple[int, bytes]:
    """Load a page; return the worker's slot and the cookie as the browser sends it back."""
    reply = street.server.get(b"/", HTML)
    assert reply.status == 200
    cookie = (reply.header(b"set-cookie") or b"").partition(b";")[0]
    return int(reply.body[-1:]), b"Cookie: theme=dark; " + cookie


def test_a_page_pins_its_visitor_and_the_worker_sees_no_trace(street: Street) -> None:
    slot, cookie = loaded(street)
    for _ in range(6):
        reply = street.server.get(b"/media/x", cookie)
        assert (reply.body, reply.header(b"set-cookie")) == (b"ui-%d" % slot, None)
    head = street.fakes[slot].heads[-1]
    assert b"theme=dark" in head
    assert b"fluxlit_ui" not in head


def test_a_forged_word_of_a_gateway_does_not_reach_the_worker(street: Street) -> None:
    slot, cookie = loaded(street)
    street.server.get(b"/x", cookie, b"X-FluxLit-Handed-Over: evil=1")
    assert b"evil" not in street.fakes[slot].heads[-1].lower()


def test_a_worker_that_has_just_died_is_passed_over_and_the_cookie_renewed(
    street: Street,
) -> None:
    slot, cookie = loaded(street)
    street.lose(slot)
    reply = street.server.get(b"/", cookie, HTML)
    assert (reply.status, reply.body) == (200, b"ui-%d" % (1 - slot))
    renewed = (reply.header(b"set-cookie") or b"").partition(b";")[0]
    assert b".%d.%d." % (1 - slot, 2 - slot) in renewed
    again = street.server.get(b"/media/x", b"Cookie: " + renewed)
    assert (again.body, again.header(b"set-cookie")) == (b"ui-%d" % (1 - slot), None)


def test_a_request_that_a_dead_worker_cannot_have_seen_is_sent_on(street: Street) -> None:
    slot, cookie = loaded(street)
    street.lose(slot)
    assert street.server.get(b"/x", cookie, method=b"POST").body == b"ui-%d" % (1 - slot)


def test_a_request_that_may_have_been_seen_is_repeated_only_if_that_is_harmless(
    street: Street,
) -> None:
    slot, cookie = loaded(street)
    street.fakes[slot].script = hang_up
    assert street.server.get(b"/x", cookie, method=b"POST").status == 502
    assert street.server.get(b"/x", cookie).body == b"ui-%d" % (1 - slot)


def test_when_no_worker_is_left_a_browser_waits_without_a_cookie(street: Street) -> None:
    _, cookie = loaded(street)
    for slot in range(2):
        street.lose(slot)
    reply = street.server.get(b"/", cookie, HTML)
    assert (reply.status, reply.header(b"set-cookie")) == (503, None)


def test_a_websocket_finds_the_next_worker_and_its_answer_renews_the_cookie(
    street: Street,
) -> None:
    slot, cookie = loaded(street)
    street.lose(slot)
    street.fakes[1 - slot].script = _refusing
    value = cookie.removeprefix(b"Cookie: ").decode()
    value = value.replace("fluxlit_ui=", f"fluxlit_ui_{street.server.port}=")  # has no port there
    url = f"ws://127.0.0.1:{street.server.port}/_stcore/stream"
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(url, additional_headers={"Cookie": value}, proxy=None),
    ):
        pass
    assert refusal.value.response.status_code == 418
    assert f".{1 - slot}.{2 - slot}." in refusal.value.response.headers["set-cookie"]


def _refusing(conn: Conn) -> None:
    conn.head()
    conn.send(b"HTTP/1.1 418 X\r\ncontent-length: 0\r\n\r\n")

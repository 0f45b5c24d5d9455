from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from fluxlit.gateway.affinity import PinCodec
from fluxlit.gateway.headers import Visitor
from fluxlit.gateway.picker import ARRIVES_WITHIN, Picker, is_page_load
from fluxlit.gateway.upstream import Member, Upstream

NAVIGATES = (b"sec-fetch-dest", b"document")
ADA = Visitor(b"localhost:8501", "10.0.0.1", "http", trusted=False)


class Crowd:
    """Upstreams whose members are in the test's hands, and a clock."""

    def __init__(self, *members: Member) -> None:
        self.now = 0.0
        self.list = list(members)

    def members(self) -> list[Member]:
        return self.list

    def picker(self, ui_path: bytes = b"") -> Picker:
        return Picker(self, PinCodec("s3cret", b"/"), ui_path, clock=lambda: self.now)


def member(slot: int, load: int = 0, **more: Any) -> Member:
    return Member(Upstream(f"ui-{slot}"), slot, slot + 1, load, **more)


def scope(*headers: tuple[bytes, bytes], kind: str = "http", method: str = "GET") -> dict[str, Any]:
    return {"type": kind, "method": method, "headers": list(headers)}


def test_one_worker_needs_no_cookie() -> None:
    (attempt,) = Crowd(member(0)).picker()(scope(NAVIGATES), b"/", ADA)
    assert (attempt.upstream.name, attempt.cookie) == ("ui-0", None)


def test_one_worker_that_is_not_there_is_not_tried() -> None:
    assert Crowd(member(0, serves=False)).picker()(scope(NAVIGATES), b"/", ADA) == []


def test_forty_new_visitors_are_spread_evenly_before_one_of_them_has_opened_a_session() -> None:
    picker = Crowd(*map(member, range(4))).picker()
    spread = Counter(picker(scope(NAVIGATES), b"/", ADA)[0].upstream.name for _ in range(40))
    assert sorted(spread.values()) == [10, 10, 10, 10]


def test_visitors_of_two_gateways_are_spread_evenly_too() -> None:
    crowd = Crowd(*map(member, range(4)))
    pickers = [crowd.picker(), crowd.picker()]
    spread = Counter(
        pickers[n % 2](scope(NAVIGATES), b"/", ADA)[0].upstream.name for n in range(40)
    )
    assert sorted(spread.values()) == [10, 10, 10, 10]


def test_a_promise_that_was_not_kept_is_forgotten() -> None:
    crowd = Crowd(member(0), member(1, load=1))
    picker = crowd.picker()
    picked = [picker(scope(NAVIGATES), b"/", ADA)[0].upstream.name for _ in range(2)]
    assert "ui-0" in picked
    crowd.now += ARRIVES_WITHIN + 1
    assert picker(scope(NAVIGATES), b"/", ADA)[0].upstream.name == "ui-0"


def test_the_cookie_that_a_page_brought_leads_every_request_of_its_tab_back() -> None:
    crowd = Crowd(*map(member, range(4)))
    one, other = crowd.picker(), crowd.picker()
    loaded = one(scope(NAVIGATES), b"/", ADA)[0]
    assert loaded.cookie is not None
    cookie = (b"cookie", b"a=b; " + loaded.cookie.partition(b";")[0])
    for asked, path in (
        (scope(cookie, kind="websocket"), b"/_stcore/stream"),
        (scope(cookie, method="PUT"), b"/_stcore/upload_file/1/2"),
        (scope(cookie), b"/media/a.png"),
        (scope(cookie, NAVIGATES), b"/component/x/index.html"),
        (scope(cookie, NAVIGATES), b"/"),
    ):
        attempt = other(asked, path, ADA)[0]
        assert (attempt.upstream, attempt.cookie) == (loaded.upstream, None)


def test_without_cookies_two_gateways_agree_on_every_request_of_a_tab() -> None:
    crowd = Crowd(*(member(slot, load=slot) for slot in range(4)))
    one, other = crowd.picker(), crowd.picker()
    agent = (b"user-agent", b"Firefox")
    stream = one(scope(agent, kind="websocket"), b"/_stcore/stream", ADA)
    for asked, path in (
        (scope(agent, method="PUT"), b"/_stcore/upload_file/1/2"),
        (scope(agent), b"/media/a.png"),
        (scope(agent, NAVIGATES), b"/component/x/index.html"),
    ):
        (attempt,) = other(asked, path, ADA)
        assert (attempt.upstream, attempt.cookie) == (stream[0].upstream, None)
    assert stream[0].cookie is not None


@pytest.mark.parametrize(
    ("headers", "method", "path", "is_page"),
    [
        ([NAVIGATES], "GET", b"/", True),
        ([NAVIGATES], "GET", b"", True),
        ([NAVIGATES], "HEAD", b"/users", True),
        ([NAVIGATES], "GET", b"/users/", True),
        ([(b"sec-fetch-dest", b"iframe")], "GET", b"/", True),
        ([(b"accept", b"text/html,*/*")], "GET", b"/", True),
        ([NAVIGATES], "POST", b"/", False),
        ([NAVIGATES], "GET", b"/media/report.pdf", False),
        ([(b"sec-fetch-dest", b"empty"), (b"accept", b"text/html")], "GET", b"/", False),
        ([(b"accept", b"*/*")], "GET", b"/", False),
        ([], "GET", b"/", False),
    ],
)
def test_what_counts_as_a_page(
    headers: list[tuple[bytes, bytes]], method: str, path: bytes, is_page: bool
) -> None:
    assert is_page_load(scope(*headers, method=method), path) is is_page


def test_a_ui_with_a_path_of_its_own_has_pages_there() -> None:
    picker = Crowd(member(0), member(1)).picker(b"/ui")
    assert picker(scope(NAVIGATES), b"/ui/users", ADA)[0].cookie is not None
    assert picker(scope(NAVIGATES), b"/ui/media/x", ADA)[0].cookie is None

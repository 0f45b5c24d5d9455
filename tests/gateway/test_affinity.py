from __future__ import annotations

from collections import Counter

import pytest

from fluxlit.gateway.affinity import (
    Ask,
    Pin,
    PinCodec,
    choose,
    cookie_name,
    ranked,
    without_pins,
)
from fluxlit.gateway.upstream import Member, Upstream

ADA, BOB = "ada0000000000000", "b0b0000000000000"


def member(slot: int, generation: int = 0, **more: object) -> Member:
    return Member(Upstream(f"ui-{slot}"), slot, generation or slot + 1, **more)  # type: ignore[arg-type]


FOUR = [member(slot) for slot in range(4)]


def ask(
    pin: Pin | None = None,
    visitor: str = ADA,
    traits: bytes = b"10.0.0.1\nFirefox",
    *,
    starts: bool = False,
    is_page: bool = False,
) -> Ask:
    return Ask(pin, visitor, traits, starts=starts or is_page, is_page=is_page)


def names(asked: Ask, members: list[Member]) -> list[str]:
    return [choice.member.upstream.name for choice in choose(asked, members)]


@pytest.mark.parametrize("slot", range(4))
def test_a_pin_leads_to_its_worker_and_stays_as_it_is(slot: int) -> None:
    first, *others = choose(ask(Pin(ADA, slot, slot + 1)), FOUR)
    assert (first.member.slot, first.pin) == (slot, None)
    assert {choice.member.slot for choice in others} == {0, 1, 2, 3} - {slot}
    assert all(choice.pin == (ADA, choice.member.slot, choice.member.slot + 1) for choice in others)


def test_a_pinned_worker_that_drains_still_serves_its_own() -> None:
    busy = [member(0, serves=True, welcomes=False), *FOUR[1:]]
    assert names(ask(Pin(ADA, 0, 1)), busy)[0] == "ui-0"


def test_a_stuck_worker_s_page_waits_for_it_and_what_begins_anew_goes_elsewhere() -> None:
    """Its sessions may go on; moving their uploads away would lose them for certain."""
    stuck = [member(0, serves=False, welcomes=False, stuck=True), *FOUR[1:]]
    assert names(ask(Pin(ADA, 0, 1)), stuck) == []
    assert set(names(ask(Pin(ADA, 0, 1), starts=True), stuck)) == {"ui-1", "ui-2", "ui-3"}


@pytest.mark.parametrize("gone", ["dead", "replaced"])
def test_the_pin_of_a_lost_worker_is_renewed_alike_for_all_tabs(gone: str) -> None:
    pin = Pin(ADA, 0, 1)
    first = member(0, serves=False, welcomes=False) if gone == "dead" else member(0, generation=9)
    members = [first, *FOUR[1:]]
    (page, *_), (upload, *_) = (
        choose(ask(pin, visitor=BOB, is_page=is_page), members) for is_page in (True, False)
    )
    assert page == upload
    assert page.pin == (ADA, page.member.slot, page.member.generation)
    assert page.member.serves


def test_the_visitors_of_a_lost_worker_are_spread_over_all_others() -> None:
    members = [member(0, serves=False, welcomes=False), *FOUR[1:]]
    moved = Counter(
        choose(ask(Pin(f"{number:016x}", 0, 1)), members)[0].member.slot for number in range(300)
    )
    assert moved.keys() == {1, 2, 3}
    assert min(moved.values()) > 70


def test_a_new_visitor_goes_to_the_least_loaded_and_is_pinned_there() -> None:
    members = [member(slot, load=load) for slot, load in enumerate([3, 1, 2, 1])]
    first, second, *others = choose(ask(is_page=True), members)
    assert {first.member.slot, second.member.slot} == {1, 3}
    assert first.pin == (ADA, first.member.slot, first.member.generation)
    assert [choice.member.slot for choice in others] == [2, 0]


def test_a_new_visitor_is_kept_from_workers_that_start_drain_or_are_stuck() -> None:
    away = {"serves": False, "welcomes": False}
    members = [member(0, **away), member(1, welcomes=False), member(2, load=9), member(3, **away)]
    assert names(ask(is_page=True), members) == ["ui-2"]


def test_where_none_welcomes_one_that_serves_will_do() -> None:
    members = [member(0, welcomes=False), member(1, serves=False, welcomes=False)]
    assert names(ask(is_page=True), members) == ["ui-0"]


def test_where_none_serves_there_is_none() -> None:
    assert choose(ask(is_page=True), [member(0, serves=False, welcomes=False)]) == []
    assert choose(ask(), []) == []


def test_who_refuses_cookies_has_one_worker_for_everything() -> None:
    for number in range(50):
        traits = b"10.0.0.%d\nFirefox" % number
        (upload,) = choose(ask(traits=traits), FOUR)
        (socket,) = choose(ask(traits=traits, visitor=BOB, starts=True), FOUR)
        assert upload.member == socket.member
        assert (upload.pin, socket.pin) == (None, (BOB, socket.member.slot, socket.member.slot + 1))


def test_who_refuses_cookies_is_spread_by_address_and_browser() -> None:
    by_address = Counter(names(ask(traits=b"10.0.0.%d\nX" % n), FOUR)[0] for n in range(200))
    by_browser = Counter(names(ask(traits=b"10.0.0.1\n%d" % n), FOUR)[0] for n in range(200))
    for spread in (by_address, by_browser):
        assert len(spread) == 4
        assert min(spread.values()) > 25


def test_who_refuses_cookies_waits_for_its_worker_to_be_replaced() -> None:
    """Moving it away and back would part a tab's uploads from its session twice."""
    slot = choose(ask(), FOUR)[0].member.slot
    absent = [member(slot, serves=False, welcomes=False) if m.slot == slot else m for m in FOUR]
    assert choose(ask(), absent) == []
    back = [member(slot, generation=9) if m.slot == slot else m for m in FOUR]
    assert choose(ask(), back)[0].member.generation == 9


def test_a_worker_that_leaves_moves_only_its_own_visitors() -> None:
    for number in range(100):
        key = b"%d" % number
        order = ranked(key, FOUR)
        assert ranked(key, [m for m in FOUR if m is not order[0]]) == order[1:]


HOST = b"localhost:8501"


def codec(secret: str = "s3cret", path: bytes = b"") -> PinCodec:
    return PinCodec(secret, path)


def cookie(pin: Pin, path: bytes = b"", scheme: str = "http", host: bytes = HOST) -> bytes:
    return codec(path=path).write(pin, host, scheme)


def test_what_one_gateway_writes_another_reads() -> None:
    pin = Pin(ADA, 3, 17)
    sent = cookie(pin).partition(b";")[0]
    assert codec().read([b"a=b", b"x=y;  " + sent + b" ; z=1"], HOST) == pin


@pytest.mark.parametrize(
    ("scheme", "path", "attributes"),
    [
        ("http", b"", b"Path=/; HttpOnly; SameSite=Lax"),
        ("http", b"/apps/my-app", b"Path=/apps/my-app; HttpOnly; SameSite=Lax"),
        ("https", b"", b"Path=/; HttpOnly; SameSite=None; Secure; Partitioned"),
    ],
)
def test_the_cookie_s_attributes(scheme: str, path: bytes, attributes: bytes) -> None:
    written = cookie(Pin(ADA, 0, 1), path, scheme)
    assert written.startswith(b"fluxlit_ui_8501=ada0000000000000.0.1.")
    assert written.partition(b"; ")[2] == attributes


def test_of_two_cookies_with_the_name_ours_is_the_one_that_is_signed_for_us() -> None:
    ours, theirs = Pin(ADA, 1, 2), Pin(BOB, 3, 4)
    foreign = codec("another service").write(theirs, HOST, "http").partition(b";")[0]
    header = foreign + b"; " + cookie(ours).partition(b";")[0]
    assert codec().read([header], HOST) == ours


@pytest.mark.parametrize(
    "tampered",
    [
        lambda value: value.replace(b".0.1.", b".1.1."),
        lambda value: value.replace(b"ada", b"eve"),
        lambda value: value[:-1],
        lambda value: value + b"0",
        lambda _: b"fluxlit_ui_8501=",
        lambda _: b"fluxlit_ui_8501=" + b"." * 400,
        lambda _: b"fluxlit_ui_8501=\xff\xfe.0.1.00",
        lambda value: value.replace(b"_8501", b"_8502"),
    ],
)
def test_a_cookie_that_is_not_ours_is_none(tampered: object) -> None:
    value = cookie(Pin(ADA, 0, 1)).partition(b";")[0]
    assert callable(tampered)
    assert codec().read([tampered(value)], HOST) is None


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"example.org", b"fluxlit_ui"),
        (b"localhost:80", b"fluxlit_ui_80"),
        (b"[::1]", b"fluxlit_ui"),
        (b"[::1]:8501", b"fluxlit_ui_8501"),
    ],
)
def test_two_ports_of_a_host_have_two_cookies(host: bytes, name: bytes) -> None:
    assert cookie_name(host) == name


@pytest.mark.parametrize(
    ("header", "left"),
    [
        (b"a=1; b=2", b"a=1; b=2"),
        (b"fluxlit_ui=x", b""),
        (b"fluxlit_ui_1=x; a=\xc3\xa9", b"a=\xc3\xa9"),
        (b"a=1;fluxlit_ui_1=x;b=2", b"a=1;b=2"),
        (b"a=fluxlit_ui; b=1", b"a=fluxlit_ui; b=1"),
    ],
)
def test_the_app_does_not_see_the_gateway_s_cookies(header: bytes, left: bytes) -> None:
    assert without_pins(header) == left

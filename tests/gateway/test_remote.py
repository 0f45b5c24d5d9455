"""A UI on other machines: who is well, who gets visitors, whose pages are served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import pytest

from fluxlit.gateway import remote
from fluxlit.gateway.affinity import Ask, Pin, choose
from fluxlit.gateway.remote import RemoteUpstreams
from fluxlit.gateway.upstream import Member

TARGET = b"/desk/_stcore/health"
KEY = (b"x-fluxlit-key", b"k")
OURS = f"x-fluxlit-streamlit: {version('streamlit')}\r\n"


class Machine:
    """A server that answers for its health as it is told to; ``None`` says nothing."""

    def __init__(self) -> None:
        self.answer: str | None = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        self.heads: list[bytes] = []
        self.url = ""
        self.busy: set[asyncio.Task[None]] = set()

    def says(self, status: str, headers: str = "") -> None:
        self.answer = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n{headers}\r\n"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy.add(asyncio.ensure_future(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if self.answer is None:
            await reader.read()
        else:
            writer.write(self.answer.encode())
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    @asynccontextmanager
    async def up(self, port: int = 0) -> AsyncIterator[Machine]:
        server = await asyncio.start_server(self.accept, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self
        await asyncio.gather(*self.busy)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(main())


async def settle(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody there could set an event
        await asyncio.sleep(0.005)


def details(upstreams: RemoteUpstreams) -> list[str]:
    return [member.detail for member in upstreams.members()]


def test_each_tells_how_it_is_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "ANSWER_WITHIN", 0.3)

    async def scenario() -> None:
        well, wrong, silent = Machine(), Machine(), Machine()
        wrong.says("403 Forbidden")
        silent.answer = None
        async with well.up(), wrong.up(), silent.up():
            urls = [well.url, wrong.url, silent.url, "http://127.0.0.1:1", well.url]
            upstreams = RemoteUpstreams(urls, TARGET, KEY, interval=0.01)
            assert not any(member.serves for member in upstreams.members())
            async with upstreams.watched():
                assert details(upstreams) == [
                    "",
                    "it does not accept the key: FLUXLIT_UI_SECRET differs",
                    "no answer within 0.3 s",
                    "cannot be reached",
                ]
                assert [it.serves for it in upstreams.members()] == [True, False, False, False]
                head = well.heads[0]
                assert head.startswith(b"GET /desk/_stcore/health HTTP/1.1\r\nhost: 127.0.0.1:")
                assert b"x-fluxlit-key: k\r\n" in head
                wrong.says("200 OK")
                well.says("503 Service Unavailable")
                await settle(lambda: details(upstreams)[:2] == ["health answers 503", ""])

    run(scenario)


def test_one_that_is_busy_for_a_moment_keeps_its_visitors_but_gets_no_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "ANSWER_WITHIN", 0.05)

    async def scenario() -> None:
        machine = Machine()
        async with machine.up():
            upstreams = RemoteUpstreams([machine.url], TARGET, interval=0.01)
            async with upstreams.watched():
                machine.answer = None
                await settle(lambda: not upstreams.members()[0].welcomes)
                assert upstreams.members()[0].serves
                await settle(lambda: not upstreams.members()[0].serves)
                asked = len(machine.heads)
                assert asked in {4, 5}, "once well, three times silent, perhaps one on its way"
                machine.says("200 OK")
                await settle(lambda: upstreams.members()[0].welcomes)

    run(scenario)


def test_a_url_keeps_its_number_whoever_else_is_in_the_list() -> None:
    def generation(*urls: str) -> int:
        return RemoteUpstreams(urls, TARGET).members()[-1].generation

    assert generation("http://a", "http://b") == generation("http://b")
    assert generation("http://a") != generation("http://b")


def test_who_has_least_to_do_gets_the_next_visitor_and_nobody_waits_for_a_lost_one() -> None:
    async def scenario() -> None:
        busy, idle = Machine(), Machine()
        busy.says("200 OK", "x-fluxlit-sockets: 7\r\n")
        idle.says("200 OK", "x-fluxlit-sockets: 1\r\n")
        async with busy.up(), idle.up():
            upstreams = RemoteUpstreams([busy.url, idle.url], TARGET, interval=0.01)
            async with upstreams.watched():
                members = upstreams.members()
                assert [it.load for it in members] == [7, 1]
                assert chosen(members) == 1
                pin = Pin("0" * 16, 0, members[0].generation)
                assert chosen(members, pin=pin) == 0
                busy.says("500 Oops")
                await settle(lambda: not upstreams.members()[0].serves)
                members = upstreams.members()
                assert chosen(members, pin=pin) == 1
                strangers = [chosen(members, traits=b"%d" % n, starts=False) for n in range(20)]
                assert set(strangers) == {1}

    run(scenario)


def chosen(
    members: Sequence[Member],
    *,
    pin: Pin | None = None,
    traits: bytes = b"",
    starts: bool = True,
) -> int:
    ask = Ask(pin=pin, visitor="1" * 16, traits=traits, starts=starts, is_page=starts)
    return choose(ask, members)[0].member.slot


def test_pages_are_served_here_only_while_all_are_of_the_release_that_is_here() -> None:
    async def scenario() -> None:
        one, other = Machine(), Machine()
        one.says("200 OK", OURS)
        other.says("200 OK", OURS)
        async with one.up(), other.up():
            upstreams = RemoteUpstreams([one.url, other.url], TARGET, interval=0.01)
            await settle(lambda: not upstreams.have_our_frontend)
            async with upstreams.watched():
                await settle(lambda: upstreams.have_our_frontend)
                other.says("200 OK", "x-fluxlit-streamlit: 0.1\r\n")
                await settle(lambda: not upstreams.have_our_frontend)
                other.says("503 Draining")
                await settle(lambda: upstreams.have_our_frontend)

    run(scenario)

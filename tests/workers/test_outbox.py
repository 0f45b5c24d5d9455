from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from fluxlit._types import Receive, Scope, Send
from fluxlit.workers.http_protocol import HTTPProtocol
from fluxlit.workers.outbox import MOST, Outbox


class Wire:
    """A transport that notes its writes."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        assert not self.closing
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True


def outbox_on(wire: Any) -> Outbox:
    return Outbox(wire, asyncio.get_running_loop())


async def turn() -> None:
    await asyncio.sleep(0)


def test_what_one_turn_writes_leaves_together_and_no_later() -> None:
    async def main() -> None:
        wire = Wire()
        outbox = outbox_on(wire)
        outbox.write(b"head ")
        outbox.write(b"body")
        assert wire.writes == []
        await turn()
        outbox.write(b"more")
        await turn()
        assert wire.writes == [b"head body", b"more"]

    asyncio.run(main())


def test_what_is_large_is_not_held_nor_passes_what_is() -> None:
    async def main() -> None:
        wire = Wire()
        outbox = outbox_on(wire)
        outbox.write(b"head")
        outbox.write(bytes(MOST))
        assert wire.writes == [b"head", bytes(MOST)]
        outbox.write(bytes(MOST))
        outbox.write(b"x")
        assert [len(data) for data in wire.writes] == [4, MOST, MOST, 1]

    asyncio.run(main())


def test_a_buffer_may_be_used_again_at_once() -> None:
    async def main() -> None:
        wire = Wire()
        outbox = outbox_on(wire)
        buffer = bytearray(b"one")
        outbox.write(buffer)
        buffer[:] = b"two"
        outbox.write(buffer)
        await turn()
        assert wire.writes == [b"onetwo"]

    asyncio.run(main())


def test_closing_comes_behind_what_was_written() -> None:
    async def main() -> None:
        wire = Wire()
        outbox = outbox_on(wire)
        outbox.write(b"last")
        outbox.close()
        assert (wire.writes, outbox.is_closing()) == ([b"last"], True)

    asyncio.run(main())


def test_a_connection_that_is_gone_is_not_written_to() -> None:
    async def main() -> None:
        wire = Wire()
        outbox = outbox_on(wire)
        outbox.write(b"late")
        wire.closing = True
        await turn()
        assert wire.writes == []

    asyncio.run(main())


class Counting(asyncio.Transport):
    """A connection whose writes are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise AssertionError

    def get_write_buffer_size(self) -> int:
        return 0

    def resume_reading(self) -> None:
        """Nothing was paused."""


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    await send(start)
    await send({"type": "http.response.body", "body": b"ok"})


async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await turn()
    for piece in (b"a", b"b"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await turn()
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(("app", "writes"), [(answer, 1), (stream, 4)])
def test_an_answer_of_the_server_is_one_write_and_a_stream_is_not_held(
    app: Any, writes: int
) -> None:
    async def main() -> None:
        config = uvicorn.Config(app, log_config=None, access_log=False, interface="asgi3")
        config.load()
        wire = Counting()
        protocol = HTTPProtocol(config, ServerState(), {})
        protocol.connection_made(wire)
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while not protocol.cycle.response_complete:
            await turn()
        protocol.connection_lost(ConnectionResetError())
        assert len(wire.writes) == writes
        assert wire.writes[0].startswith(b"HTTP/1.1 200 ")

    asyncio.run(main())

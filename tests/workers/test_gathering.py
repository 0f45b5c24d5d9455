"""A real server with the protocol, and a real client that hears what its app sends."""

from __future__ import annotations

import asyncio
from asyncio import Transport
from collections.abc import Sequence
from typing import Any, cast

import pytest
import uvicorn
from tests.support.ports import free_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fluxlit._types import Message, Receive, Scope, Send
from fluxlit.workers.gathering import MOST, SMALL, GatheringProtocol
from fluxlit.workers.server import WorkerServer
from fluxlit.workers.sockets import bind_tcp

pytestmark = pytest.mark.integration

WRITES: list[int] = []
"""Sizes of what the last connection wrote after its handshake."""


class Counted(GatheringProtocol):
    """The protocol, on a transport whose writes are counted."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        WRITES.clear()
        self.transport = cast("Transport", Counter(transport))


class Counter:
    """A transport that notes the size of each write."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        if data and not data.startswith(b"HTTP/"):
            WRITES.append(len(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def heard(events: Sequence[Message]) -> tuple[list[bytes | str], int]:
    """Let an app send events, one in each turn of the loop; return what a client hears."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        for event in events:
            await send(event)
            await asyncio.sleep(0)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def main() -> tuple[list[bytes | str], int]:
        sock = bind_tcp("127.0.0.1", free_port())
        ready = asyncio.Event()
        config = uvicorn.Config(
            app, ws=Counted, lifespan="off", log_config=None, ws_per_message_deflate=False
        )
        server = WorkerServer(config, ready.set)
        serving = asyncio.ensure_future(server.serve([sock]))
        try:
            async with asyncio.timeout(20):
                await ready.wait()
                return await _listen(sock.getsockname()[1])
        finally:
            server.drain()
            await serving

    return asyncio.run(main())


async def _listen(port: int) -> tuple[list[bytes | str], int]:
    received: list[bytes | str] = []
    async with connect(f"ws://127.0.0.1:{port}/", max_size=None) as client:
        try:
            while True:
                received.append(await client.recv())
        except ConnectionClosed as closed:
            return received, closed.rcvd.code if closed.rcvd else 1006


def binary(data: bytes) -> Message:
    return {"type": "websocket.send", "bytes": data}


CLOSE: Message = {"type": "websocket.close", "code": 4001}


def test_messages_of_consecutive_turns_leave_together_and_in_order() -> None:
    sent = [b"%d" % number for number in range(50)]
    received, code = heard([*map(binary, sent), CLOSE])
    assert (received, code) == (sent, 4001)
    assert len(WRITES) <= 2, WRITES


def test_what_is_large_or_text_keeps_its_place_among_the_small() -> None:
    large = bytes(3 * MOST)
    events = [binary(b"a"), binary(large), binary(b"b")]
    text: Message = {"type": "websocket.send", "text": "c"}
    received, code = heard([*events, text, binary(b"d"), CLOSE])
    assert (received, code) == ([b"a", large, b"b", "c", b"d"], 4001)


def test_what_is_held_back_has_a_bound() -> None:
    sent = [bytes([number]) * SMALL for number in range(30)]
    received, code = heard([*map(binary, sent), CLOSE])
    assert (received, code) == (sent, 4001)
    assert max(WRITES) <= MOST + 3 * SMALL, WRITES


def test_a_message_is_not_held_back_when_nothing_follows() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send(binary(message["bytes"]))

    async def main() -> None:
        sock = bind_tcp("127.0.0.1", free_port())
        ready = asyncio.Event()
        config = uvicorn.Config(app, ws=GatheringProtocol, lifespan="off", log_config=None)
        server = WorkerServer(config, ready.set)
        serving = asyncio.ensure_future(server.serve([sock]))
        async with asyncio.timeout(20):
            await ready.wait()
            async with connect(f"ws://127.0.0.1:{sock.getsockname()[1]}/") as client:
                for number in range(20):
                    await client.send(b"%d" % number)
                    assert await client.recv() == b"%d" % number
        server.drain()
        await serving

    asyncio.run(main())

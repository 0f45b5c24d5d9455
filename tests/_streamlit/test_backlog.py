"""What waits for a browser that does not read: bounded, in the installed Streamlit's own client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.session_manager import SessionClientDisconnectedError
from streamlit.web.server.starlette import starlette_websocket

from fluxlit._streamlit import backlog
from fluxlit._streamlit.backlog import Backlog, BoundedClient, bound_backlogs

KB = 1024


def text(size: int) -> ForwardMsg:
    message = ForwardMsg()
    message.delta.new_element.text.body = "x" * size
    return message


class Browser:
    """A browser that reads what it is sent, once it may."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.got: list[int] = []
        self.client = BoundedClient(WebSocket({"type": "websocket", "headers": []}, *self._ends()))

    def _ends(self) -> tuple[Any, Any]:
        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                await self.reads.wait()
                self.got.append(len(message["bytes"]))

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        return receive, send

    async def connect(self) -> None:
        await self.client._websocket.accept()
        await asyncio.sleep(0)


def fill(client: BoundedClient) -> int:
    """Send until the client counts as disconnected; return how many messages it took."""
    for taken in range(100):
        try:
            client.write_forward_msg(text(10 * KB))
        except SessionClientDisconnectedError:
            return taken
    return 100


def test_bytes_that_wait_are_counted_and_the_first_message_may_be_of_any_size() -> None:
    waiting = Backlog(3, 100)
    waiting.put_nowait(bytes(500))
    with pytest.raises(asyncio.QueueFull):
        waiting.put_nowait(b"x")
    assert waiting.empty()  # nothing of a broken stream is kept
    waiting.put_nowait(bytes(60))
    assert waiting.get_nowait() == bytes(60)
    for _ in range(3):
        waiting.put_nowait(bytes(30))
    with pytest.raises(asyncio.QueueFull):  # of messages
        waiting.put_nowait(b"")


def test_a_browser_that_reads_nothing_is_disconnected_at_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def check() -> int:
        monkeypatch.setattr(backlog, "get_max_message_size_bytes", lambda: 100 * KB)
        browser = Browser()
        await browser.connect()
        taken = fill(browser.client)
        with pytest.raises(SessionClientDisconnectedError):
            browser.client.write_forward_msg(text(1))
        await browser.client.aclose()
        return taken

    assert asyncio.run(check()) in {9, 10}


def test_a_browser_that_reads_gets_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> int:
        monkeypatch.setattr(backlog, "get_max_message_size_bytes", lambda: 100 * KB)
        browser = Browser()
        browser.reads.set()
        await browser.connect()
        for _ in range(50):
            browser.client.write_forward_msg(text(90 * KB))
            for _ in range(3):
                await asyncio.sleep(0)
        await browser.client.aclose()
        return len(browser.got)

    assert asyncio.run(check()) == 50


def test_streamlit_s_handler_makes_such_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    original = starlette_websocket.StarletteSessionClient
    monkeypatch.setattr(starlette_websocket, "StarletteSessionClient", original)
    bound_backlogs()
    handler = starlette_websocket.create_websocket_handler
    assert starlette_websocket.StarletteSessionClient is BoundedClient
    assert handler.__globals__["StarletteSessionClient"] is BoundedClient

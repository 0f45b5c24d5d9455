"""Who waits, told from real messages of the installed Streamlit."""

from __future__ import annotations

import asyncio
from typing import Self

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from fluxlit._streamlit.runs import BULKY, RunWatch, asks_for_run, run_goes_on
from fluxlit._types import Message, Receive, Scope, Send


def click() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = "a=1"
    return bytes(message.SerializeToString())


def timer() -> bytes:
    message = BackMsg()
    message.rerun_script.fragment_id = "a"
    message.rerun_script.is_auto_rerun = True
    return bytes(message.SerializeToString())


def heartbeat() -> bytes:
    return bytes(BackMsg(app_heartbeat=True).SerializeToString())


def begun() -> bytes:
    message = ForwardMsg(hash="0" * 32)
    message.new_session.main_script_path = "app.py"
    return bytes(message.SerializeToString())


def text() -> bytes:
    message = ForwardMsg(hash="0" * 32)
    message.delta.new_element.text.body = "script_finished"
    return bytes(message.SerializeToString())


def finished(status: ForwardMsg.ScriptFinishedStatus.ValueType) -> bytes:
    return bytes(ForwardMsg(hash="0" * 32, script_finished=status).SerializeToString())


def test_only_a_rerun_is_waited_for() -> None:
    assert asks_for_run(click())
    assert not asks_for_run(timer())
    assert not asks_for_run(heartbeat())
    assert not asks_for_run(b"\xff\xff no message")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (begun(), True),
        (text(), None),
        (b"x" * (BULKY + 1), None),
        (finished(ForwardMsg.FINISHED_SUCCESSFULLY), False),
        (finished(ForwardMsg.FINISHED_WITH_COMPILE_ERROR), False),
        (finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY), False),
        (finished(ForwardMsg.FINISHED_EARLY_FOR_RERUN), True),
    ],
)
def test_a_run_ends_with_its_last_message(message: bytes, expected: bool | None) -> None:
    assert run_goes_on(message) is expected


class Conversation:
    """A browser that says and hears given messages, as seen by the watch."""

    def __init__(self, *steps: tuple[str, bytes]) -> None:
        self._steps = iter(steps)
        self.events: list[str] = []
        self._data = b""
        self.waiting = 0
        self.watch = RunWatch(self._app)
        self.watch.on_end = lambda: self.events.append("told")

    def run(self) -> Self:
        asyncio.run(self.watch({"type": "websocket"}, self._receive, self._send))
        return self

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        for kind, data in self._steps:
            self._data = data
            if kind == "says":
                await receive()
            else:
                await send({"type": "websocket.send", "bytes": self._data})
        self.waiting = self.watch.waiting

    async def _receive(self) -> Message:
        return {"type": "websocket.receive", "bytes": self._data}

    async def _send(self, message: Message) -> None:
        self.events.append("sent" if message["bytes"] else "empty")


END = ("hears", finished(ForwardMsg.FINISHED_SUCCESSFULLY))
BEGIN = ("hears", begun())
TEXT = ("hears", text())
CLICK = ("says", click())


@pytest.mark.parametrize(
    ("steps", "waiting", "ended"),
    [
        ((CLICK,), 1, 0),
        ((CLICK, CLICK, BEGIN, TEXT), 1, 0),
        ((CLICK, BEGIN, TEXT, END), 0, 1),
        ((CLICK, BEGIN, CLICK, END, BEGIN), 1, 1),  # a click that came just before the end
        ((BEGIN, TEXT, END), 0, 1),  # a run that nobody clicked for
    ],
)
def test_a_tab_waits_from_its_click_to_the_end_of_the_run(
    steps: tuple[tuple[str, bytes], ...], waiting: int, ended: int
) -> None:
    conversation = Conversation(*steps).run()
    assert (conversation.waiting, conversation.events.count("told")) == (waiting, ended)
    assert conversation.watch.waiting == 0, "a tab that is gone still waits"


def test_the_end_is_told_after_the_last_message_was_sent() -> None:
    assert Conversation(END).run().events == ["sent", "told"]

"""Who waits for a page: told from the messages between browsers and Streamlit.

A browser asks for a run with a ``BackMsg``; the run's messages begin with ``new_session`` and end
with ``script_finished`` (``streamlit/proto``). One that was ended early for another run is not
the answer yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from fluxlit._types import ASGIApp, Message, Receive, Scope, Send

BULKY: Final = 16 * 1024
"""Bytes of a message to a browser that is not parsed: neither end of a run is that long."""


def asks_for_run(data: bytes) -> bool:
    """Tell whether a browser's message asks for a run that a user waits for: no timer's."""
    try:
        message = BackMsg.FromString(data)
    except DecodeError:  # Streamlit will close this connection
        return False
    is_run = message.WhichOneof("type") == "rerun_script"
    return is_run and not message.rerun_script.is_auto_rerun


def run_goes_on(data: bytes) -> bool | None:
    """Tell from a message to a browser that its run goes on, or has ended; None says neither."""
    if len(data) > BULKY:
        return None
    message = ForwardMsg.FromString(data)
    match message.WhichOneof("type"):
        case "new_session":
            return True
        case "script_finished":
            return bool(message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    return None


class RunWatch:
    """Streamlit's app, watched for who waits.

    Args:
        app: The app.

    Attributes:
        waiting: How many tabs wait for the end of a run.
        on_end: Called when the last message of a run was handed to the server.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.waiting = 0
        self.on_end: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        tab = _Tab(self, receive, send)
        try:
            await self._app(scope, tab.receive, tab.send)
        finally:
            tab.wait(False)


class _Tab:
    """One WebSocket: passes everything on, and tells the watch when its user waits."""

    def __init__(self, watch: RunWatch, receive: Receive, send: Send) -> None:
        self._watch = watch
        self._receive = receive
        self._send = send
        self._waits = False

    async def receive(self) -> Message:
        message = await self._receive()
        data = message.get("bytes")
        if data and asks_for_run(data):
            self.wait(True)
        return message

    async def send(self, message: Message) -> None:
        await self._send(message)
        data = message.get("bytes")
        goes_on = run_goes_on(data) if data else None
        if goes_on is not None:
            self.wait(goes_on)
        if goes_on is False:
            self._watch.on_end()

    def wait(self, waits: bool) -> None:
        self._watch.waiting += waits - self._waits
        self._waits = waits

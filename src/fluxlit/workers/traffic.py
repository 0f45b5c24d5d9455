"""What a UI worker has served: numbers for the board and the metrics."""

from __future__ import annotations

from dataclasses import dataclass

from fluxlit._types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Traffic:
    """The counts of one worker since its start. Only the worker's loop writes them.

    Attributes:
        taken: Browsers' sockets that gateways have handed over.
        sockets: WebSockets that are open now, handed over or relayed.
        received: WebSocket messages from browsers.
        sent: WebSocket messages to browsers.
        bytes_received: Their payload, in bytes; a text counts its characters.
        bytes_sent: The same for those sent.
    """

    taken: int = 0
    sockets: int = 0
    received: int = 0
    sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0


class Counted:
    """An app whose traffic is counted.

    Args:
        app: The app.
        traffic: Where its counts go.
    """

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        exchange = _Socket(self._traffic, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            exchange.end()


class _Socket:
    """One WebSocket, open from its acceptance to the end of its app."""

    __slots__ = ("_open", "_receive", "_send", "_traffic")

    def __init__(self, traffic: Traffic, receive: Receive, send: Send) -> None:
        self._traffic = traffic
        self._receive = receive
        self._send = send
        self._open = False

    async def receive(self) -> Message:
        message = await self._receive()
        traffic = self._traffic
        if message["type"] == "websocket.receive":
            traffic.received += 1
            traffic.bytes_received += _payload(message)
        return message

    async def send(self, message: Message) -> None:
        traffic = self._traffic
        if message["type"] == "websocket.send":
            traffic.sent += 1
            traffic.bytes_sent += _payload(message)
        await self._send(message)
        if message["type"] == "websocket.accept" and not self._open:
            self._open = True
            traffic.sockets += 1

    def end(self) -> None:
        self._traffic.sockets -= self._open


def _payload(message: Message) -> int:
    data = message.get("bytes")
    return len(message.get("text") or "") if data is None else len(data)

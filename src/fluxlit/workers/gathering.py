"""A worker's WebSockets: messages that are ready together leave together.

A run of a page is a dozen small messages or more, and Streamlit sends one in each turn of the event
loop. Written one by one each costs a system call here, another one at the receiver, and wakes it
up; for a small page that is a sixth of the work. So small messages stay in the connection until a
turn of the loop brings no further one.
"""

from __future__ import annotations

from typing import Any, Final

from websockets.protocol import State

from fluxlit.workers.websocket_protocol import WebSocketProtocol

SMALL: Final = 16 * 1024
"""Bytes up to which a message is worth holding back."""

MOST: Final = 64 * 1024
"""Bytes that are held back at most."""


class GatheringProtocol(WebSocketProtocol):
    """The WebSocket protocol that writes small messages together.

    Whatever else the connection writes (a large message, a pong, a close) takes along what was
    held back, since both come from the one outgoing buffer of ``self.conn``, in order.
    """

    _held = 0
    _seen = 0

    async def send(self, message: Any) -> None:
        """Send one event of the app."""
        data = message.get("bytes")
        if data is None or len(data) > SMALL or self._held > MOST or not self._is_open():
            self._held = 0
            await super().send(message)
            return
        await self.writable.wait()
        if not self._is_open():
            await super().send(message)  # which knows what to raise
            return
        self.conn.send_binary(data)
        if not self._held:
            self._seen = 0
            self.loop.call_soon(self._turn)
        self._held += len(data)

    def handle_ping(self) -> None:
        """Answer; what is held back goes with it, so that no later pong can take its place."""
        if self._held:
            self._flush()
        else:
            super().handle_ping()

    def _is_open(self) -> bool:
        return self.handshake_complete and self.conn.state is State.OPEN and not self.close_sent

    def _turn(self) -> None:
        """Write what is held back unless this turn of the loop has brought more."""
        if self._held != self._seen:
            self._seen = self._held
            self.loop.call_soon(self._turn)
            return
        self._flush()

    def _flush(self) -> None:
        self._held = self._seen = 0
        if not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))

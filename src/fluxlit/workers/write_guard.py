"""Cuts a connection whose peer has stopped reading."""

from __future__ import annotations

import asyncio
import socket


class WriteGuard:
    """Watches one connection's write buffer while something waits in it.

    A slow peer is let alone for as long as it takes anything at all; one that takes nothing is
    cut, because ``close()`` would wait for it to read the rest.

    Args:
        transport: The connection.
        seconds: How long the peer may take nothing.
    """

    __slots__ = ("_is_gateway", "_left", "_seconds", "_timer", "_transport")

    def __init__(self, transport: asyncio.WriteTransport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        # A gateway takes what its visitor takes, in large pieces, and watches that one itself.
        peer = transport.get_extra_info("socket")
        self._is_gateway = peer is not None and peer.family == getattr(socket, "AF_UNIX", None)
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """Watch from now on, if there is anything to watch."""
        if self._timer is None and not self._is_gateway:
            self._wait(self._transport.get_write_buffer_size())

    def disarm(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, left: int) -> None:
        self._left = left
        if left:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        left = self._transport.get_write_buffer_size()
        if left < self._left:
            self._wait(left)
        else:
            self._transport.abort()

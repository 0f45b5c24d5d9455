"""A connection's answers leave in one write each, not one for the head and one for the body.

A second write costs as much as a twentieth of a small answer of an API. Nothing is held longer
than until the end of the turn of the loop that wrote it, so a stream's head and each of its pieces
leave when they would have left.
"""

from __future__ import annotations

import asyncio
from typing import Final

MOST: Final = 64 * 1024
"""Bytes that are held at most; also what is cheaper to copy than to write apart."""


class Outbox:
    """As much of a transport as Uvicorn's cycle needs, in front of the connection's own.

    Args:
        transport: The connection's.
        loop: Its event loop.
    """

    __slots__ = ("_held", "_loop", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold a piece until the answer is complete, or this turn of the loop ends."""
        size = self._size + len(data)
        if size > MOST:
            self.flush()
            self._transport.write(data)
            return
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(bytes(data))  # an app may use a buffer again
        self._size = size

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            if not self._transport.is_closing():
                self._transport.write(data)

    def is_closing(self) -> bool:
        """Tell whether the connection ends."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the connection behind what was written."""
        self.flush()
        self._transport.close()

"""The line between a parent and its worker: JSON messages, listening sockets, and a life line.

A Unix socket pair. Each message is one line of JSON; a message may carry file descriptors
(``SCM_RIGHTS``). Its end tells each side that the other is gone, however it went: the kernel
closes the socket of a process that was killed.
"""

from __future__ import annotations

import asyncio
import json
import socket
from array import array
from collections.abc import Sequence
from typing import Final, Self

from fluxlit._types import JsonValue

MAX_MESSAGE: Final = 1024 * 1024
"""Bytes of one message; a worker that sends more is broken."""

MAX_DESCRIPTORS: Final = 16

JsonObject = dict[str, JsonValue]


class ChannelClosedError(ConnectionError):
    """The other side is gone."""


class Channel:
    """One end of the line.

    Args:
        sock: A connected ``AF_UNIX`` stream socket; the channel owns it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._descriptors: list[int] = []

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """Make a line: the parent's end, and the socket for the child to inherit."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        return cls(ours), theirs

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Self:
        """Take the child's end, which the process inherited, and keep it from grandchildren."""
        sock = socket.socket(fileno=descriptor)
        sock.set_inheritable(False)
        return cls(sock)

    def send(self, message: JsonObject, sockets: Sequence[socket.socket] = ()) -> None:
        """Send one message, with listening sockets if there are any.

        Raises:
            ChannelClosedError: The other side is gone.
        """
        line = json.dumps(message).encode() + b"\n"
        descriptors = array("i", [sock.fileno() for sock in sockets])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if sockets else []
        try:
            sent = self._sock.sendmsg([line], rights)
            self._sock.sendall(line[sent:])
        except OSError as exc:
            msg = "the other side of the channel is gone"
            raise ChannelClosedError(msg) from exc

    async def receive(self) -> JsonObject | None:
        """Wait for one message on the running loop; None when the other side is gone."""
        loop = asyncio.get_running_loop()
        while (message := self._take()) is None:
            try:
                chunk = await loop.sock_recv(self._sock, 65536)
            except ConnectionResetError:
                return None
            if not self._feed(chunk):
                return None
        return message

    def receive_blocking(self) -> tuple[JsonObject, list[socket.socket]] | None:
        """Wait for one message and its sockets; None when the other side is gone."""
        while (message := self._take()) is None:
            try:
                chunk, descriptors, _, _ = socket.recv_fds(self._sock, 65536, MAX_DESCRIPTORS)
            except ConnectionResetError:
                return None
            self._descriptors += descriptors
            if not self._feed(chunk):
                return None
        sockets = [socket.socket(fileno=fd) for fd in self._descriptors]
        self._descriptors = []
        for sock in sockets:  # received descriptors are inheritable, unlike those Python makes
            sock.set_inheritable(False)
        return message, sockets

    def close(self) -> None:
        """Close this end; the other side reads the end of the line."""
        self._sock.close()

    def _feed(self, chunk: bytes) -> bool:
        self._buffer += chunk
        return bool(chunk) and len(self._buffer) <= MAX_MESSAGE

    def _take(self) -> JsonObject | None:
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        self._buffer = rest
        message = json.loads(line)
        return message if isinstance(message, dict) else {}

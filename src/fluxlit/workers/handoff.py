"""Hand a browser's WebSocket over: the gateway decides, then the UI worker owns the socket.

The gateway's server offers the ASGI extension ``fluxlit.handoff`` on plain connections. An app that
has decided answers a ``websocket.connect`` with one event::

    {"type": "fluxlit.handoff", "socket": "/run/…/ui-0.give", "head": b"GET /_stcore/stream …"}

The server duplicates the connection's socket into the worker that listens there (``SCM_RIGHTS``),
with the head that the worker is to read first, and drops its own end. From then on no byte passes
the gateway. If the worker does not take it, :class:`~fluxlit.exceptions.HandoffError` is raised
and nothing has happened: the app may relay instead.

Both processes hold the socket for a moment, and exactly one of them may serve it. The worker's
word decides: it serves only after its "taken" has been sent, and a gateway that no longer wants to
wait first makes that sending impossible, then looks whether it had happened (:func:`give`).

``SOCK_SEQPACKET`` keeps a head and its descriptor together in one message (unix(7)); systems
without it do not offer the extension. The worker's side is :mod:`fluxlit.workers.adoption`.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from websockets.http11 import Request

from fluxlit._types import HANDOFF, Message
from fluxlit.exceptions import HandoffError
from fluxlit.workers.websocket_protocol import WebSocketProtocol

SUPPORTED: Final = hasattr(socket, "SOCK_SEQPACKET") and hasattr(socket, "send_fds")

MAX_PACKET: Final = 128 * 1024
"""Bytes of a head with what the client sent right behind it; more goes through the relay."""

ANSWER_WITHIN: Final = 2.0
"""Seconds that a worker has to take a socket; it does so between two turns of its loop."""

TAKEN: Final = b"taken"


class HandoffProtocol(WebSocketProtocol):
    """The WebSocket protocol with the extension."""

    answer_within = ANSWER_WITHIN

    _giving = False
    _shutdown_waits = False

    def handle_connect(self, event: Request) -> None:
        """Start the app, with the extension if this connection can be handed over."""
        super().handle_connect(event)
        if SUPPORTED and self.scheme == "ws" and not self.handshake_complete:
            self.scope["extensions"][HANDOFF] = {}

    def shutdown(self) -> None:
        """End the connection as Uvicorn does, but not while it is another process' to answer."""
        if self._giving:
            self._shutdown_waits = True
        else:
            super().shutdown()

    async def send(self, message: Any) -> None:
        """Serve the app's events; this one moves the socket."""
        if message["type"] == HANDOFF:
            await self._hand_over(message)
        else:
            await super().send(message)

    async def _hand_over(self, message: Message) -> None:
        if not self._undecided or self.transport.is_closing():
            msg = "this connection cannot be handed over"
            raise HandoffError(msg)
        packet = message["head"] + self._early
        browser = self.transport.get_extra_info("socket")
        self._giving = True
        try:
            await give(message["socket"], packet, browser.fileno(), within=self.answer_within)
        except HandoffError:
            self._giving = False
            if self._shutdown_waits:
                super().shutdown()
                raise ClientDisconnected from None
            raise
        except BaseException:
            self._leave()  # without a word: the worker may have it
            raise
        self._leave()

    def _leave(self) -> None:
        """Close this process' descriptor; in the worker the connection lives on."""
        self._undecided = False
        self.handshake_complete = True
        self.transport.abort()


async def give(path: str, packet: bytes, descriptor: int, *, within: float = ANSWER_WITHIN) -> None:
    """Send a socket to the worker that listens on a path, and wait until it is taken.

    Args:
        path: Where the worker listens.
        packet: What it is to read before it reads from the socket.
        descriptor: The socket; the caller still has to close its own.
        within: Seconds to wait for the worker.

    Raises:
        HandoffError: The worker has not taken it, and never will.
    """
    if len(packet) > MAX_PACKET:
        msg = f"a head of {len(packet)} bytes is not handed over"
        raise HandoffError(msg)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.setblocking(False)
        try:
            line.connect(path)  # a Unix socket connects at once or not at all
            socket.send_fds(line, [packet], [descriptor])
            answer = await _answer(line, within)
        except OSError as exc:
            msg = f"the worker at {path} did not take the socket: {exc!r}"
            raise HandoffError(msg) from exc
    if answer != TAKEN:
        msg = f"the worker at {path} refused the socket"
        raise HandoffError(msg)


async def _answer(line: socket.socket, within: float) -> bytes:
    """Wait for the worker's word, and read it in no other way than here.

    A receive that can be cancelled could take the word off the line and lose it.
    """
    try:
        async with asyncio.timeout(within):
            await readable(line)
    except TimeoutError:
        # The worker may be about to answer. From here on it cannot; an answer from before is there.
        line.shutdown(socket.SHUT_RD)
    return line.recv(len(TAKEN))


async def readable(line: socket.socket) -> None:
    """Wait until there is something to receive, without receiving it."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(line, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(line)

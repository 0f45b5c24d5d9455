"""Accepts connections so that the workers who share a listening socket share the work.

The event loops' own servers accept all that wait at every turn, so whichever worker wakes up first
takes a whole burst: of two workers before sixteen clients, one often got all sixteen and the other
idled. Here a worker takes one connection a turn; a busy one turns slowly, and leaves the rest to
the others. With a socket for each worker (``SO_REUSEPORT``) the kernel would decide by chance, and
leave connections waiting at a worker that hangs or is being replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from ssl import SSLContext
from typing import Final

from fluxlit.workers.sockets import BACKLOG

_LOG: Final = logging.getLogger("fluxlit.workers")

_PAUSE_SECONDS: Final = 0.5
"""Between two tries to accept when the process has no descriptors left."""


class Acceptor:
    """Serves one listening socket on the running loop, from its making on.

    It offers what Uvicorn asks of an :class:`asyncio.Server`.

    Args:
        sock: The socket, which does not block.
        make_protocol: Makes the protocol of one more connection.
        ssl: How connections are encrypted, if they are.
    """

    def __init__(
        self,
        sock: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        ssl: SSLContext | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._make_protocol = make_protocol
        self._ssl = ssl
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._listen()

    def close(self) -> None:
        """Accept who has connected already, and then nobody; what was accepted is served.

        For a client who has connected all is well; when the last owner of the socket closes it, the
        system would cut those off who still wait. Closing twice, the socket meanwhile, is no error.
        """
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        if self._pause is not None:
            self._pause.cancel()
        with contextlib.suppress(OSError):  # nobody waits, or there are no descriptors left
            for _ in range(BACKLOG):
                self._take(self._socket.accept()[0])

    async def wait_closed(self) -> None:
        """Wait until everything that was accepted has its protocol."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _listen(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the client has left
        except OSError as exc:
            _LOG.warning("cannot accept connections: %s", exc)
            self._loop.remove_reader(self._socket)
            self._pause = self._loop.call_later(_PAUSE_SECONDS, self._listen)
            return
        self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        task = self._loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, connection, ssl=self._ssl)
        except OSError as exc:  # it has left already, or its TLS handshake failed
            _LOG.debug("a connection was not opened: %s", exc)
            connection.close()

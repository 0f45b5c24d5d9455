"""A child process at the end of a channel: spawn it, talk to it, signal it, see it end.

What it is to serve it hears later, so that one may be spawned before anybody knows: its imports are
done then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final

from fluxlit.exceptions import StartupError
from fluxlit.workers.channel import Channel, ChannelClosedError, JsonObject
from fluxlit.workers.command import WorkerKind, worker_command, worker_environment

KILL_AFTER: Final = 3.0
"""Seconds that a child has to be gone after it was killed; the kernel needs far less."""

CLOSED: Final = "closed"
"""The event by which a child that was asked to end tells that it accepts nobody any more."""

Command = Callable[[str, WorkerKind, int], list[str]]


class Child:
    """One child process.

    It runs in a session of its own, so that Ctrl-C in the terminal reaches only the parent, who
    then stops its workers in order.

    Args:
        kind: What it is going to serve.
        command: Returns its command line, given the interpreter, the kind and the descriptor of
            the channel.
    """

    def __init__(self, kind: WorkerKind, *, command: Command = worker_command) -> None:
        self.kind = kind
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 before it is spawned."""
        return self._process.pid if self._process else 0

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        return self._process.returncode if self._process else None

    async def spawn(self) -> None:
        """Make the process; one that is there already stays.

        Raises:
            StartupError: The system has no room for another process.
        """
        if self._process is not None:
            return
        try:
            self._channel, theirs = Channel.pair()
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(sys.executable, self.kind, theirs.fileno()),
                    env=worker_environment(self.kind, os.environ),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
        except OSError as exc:
            self.close()
            msg = f"cannot start a {self.kind.label} worker: {exc.strerror}"
            raise StartupError(msg, remedy="see the limits of this user and machine") from exc

    def tell(self, message: JsonObject, sockets: Sequence[socket.socket] = ()) -> None:
        """Send the child a message, with listening sockets if it is to serve on them.

        A child that is gone hears nothing; whoever waits for its answer learns why.
        """
        with contextlib.suppress(ChannelClosedError):
            self._require_channel().send(message, sockets)

    async def hear(self) -> JsonObject | None:
        """Wait for the child's next message; None when it is gone."""
        return await self._require_channel().receive()

    async def wait(self) -> int:
        """Wait until it is gone; return its exit status."""
        return await self._require_process().wait()

    async def end(self, grace: float, on_closed: Callable[[], None] = lambda: None) -> bool:
        """Ask it to end, and end it if it has not after *grace* seconds.

        Args:
            grace: Seconds between asking and ending.
            on_closed: Called when it says that it accepts nobody any more.

        Returns:
            Whether asking was enough.
        """
        hearing = asyncio.ensure_future(self._hear_closed(on_closed))
        try:
            obeyed = await self._ends(signal.SIGTERM, grace)
            if not obeyed:
                await self._ends(signal.SIGKILL, KILL_AFTER)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})
        self.close()
        return obeyed

    def kill(self) -> None:
        """End it now."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Hang up; a child that lives on takes that for its parent's death."""
        if self._channel is not None:
            self._channel.close()

    async def _hear_closed(self, on_closed: Callable[[], None]) -> None:
        while self._channel is not None and (message := await self.hear()) is not None:
            if message.get("event") == CLOSED:
                on_closed()

    async def _ends(self, number: signal.Signals, within: float) -> bool:
        """Send a signal and tell whether the child is gone in time."""
        if self._process is None:
            return True
        self._signal(number)
        try:
            await asyncio.wait_for(self._process.wait(), within)
        except TimeoutError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _require_channel(self) -> Channel:
        if self._channel is None:
            msg = f"this {self.kind.label} worker was not spawned"
            raise RuntimeError(msg)
        return self._channel

    def _require_process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            msg = f"this {self.kind.label} worker was not spawned"
            raise RuntimeError(msg)
        return self._process

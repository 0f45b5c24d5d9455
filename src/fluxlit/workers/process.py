"""One worker: start it, hear that it is ready, stop it. Nothing here knows of other workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fluxlit._types import JsonValue
from fluxlit.exceptions import StartupError
from fluxlit.workers.channel import Channel, ChannelClosedError, JsonObject
from fluxlit.workers.command import WorkerKind, worker_command, worker_environment
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit.workers")

KILL_AFTER: Final = 3.0
"""Seconds that a worker has to be gone after it was killed; the kernel needs far less."""

ABANDON_GRACE: Final = 1.0
"""Seconds that a child which is not a worker yet has to end what its lifespan has begun."""

READY_WITHIN: Final = 120.0
"""Seconds from birth to ready; heavy imports on a slow, busy machine need many."""


Command = Callable[[str, WorkerKind, int], list[str]]


class State(StrEnum):
    """A worker's one life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker could not start, in its own words."""

    message: str
    remedy: str = ""

    def to_error(self) -> StartupError:
        """Return it as the error that ends the start."""
        return StartupError(self.message, remedy=self.remedy)


class WorkerProcess:
    """A child process that serves.

    The child runs in a session of its own, so that Ctrl-C in the terminal reaches only the
    parent, who then stops its workers in order.

    Args:
        kind: What it serves.
        spec: What it is told at birth.
        command: Returns its command line, given the interpreter, the kind and the descriptor of
            the channel.
    """

    def __init__(
        self, kind: WorkerKind, spec: WorkerSpec, *, command: Command = worker_command
    ) -> None:
        self._command = command
        self.kind = kind
        self.spec = spec
        self.name = f"{kind.label}-{spec.slot}"
        self.state = State.STARTING
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None

    @property
    def pid(self) -> int:
        """The child's process id; 0 before it is started."""
        return self._process.pid if self._process else 0

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Start the child and tell it what to do.

        Raises:
            StartupError: The system has no room for another process.
        """
        self._channel, theirs = Channel.pair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(sys.executable, self.kind, theirs.fileno()),
                    env=worker_environment(self.kind, os.environ),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as exc:
                msg = f"cannot start {self.name}: {exc.strerror}"
                raise StartupError(msg, remedy="see the limits of this user and machine") from exc
        self.tell(self.spec.to_message())
        _LOG.debug("%s started, pid %d", self.name, self.pid)

    async def expect(self, event: str) -> JsonObject:
        """Wait for one event from the child.

        Args:
            event: ``"loaded"`` or ``"ready"``.

        Raises:
            StartupError: The child reported a failure, or is gone.
        """
        message = await self._require_channel().receive()
        if message is None:
            raise (await self._vanished()).to_error()
        if message.get("event") == "failed":
            raise Failure(_text(message, "message"), _text(message, "remedy")).to_error()
        if message.get("event") != event:
            msg = f"{self.name} said {message.get('event')!r} where {event!r} was due"
            raise StartupError(msg)
        if event == State.READY:
            self.state = State.READY
        return message

    def tell(self, message: JsonObject, sockets: Sequence[socket.socket] = ()) -> None:
        """Send the child a message, with listening sockets if it is to serve on them.

        A child that is gone hears nothing; whoever waits for its answer learns why.
        """
        with contextlib.suppress(ChannelClosedError):
            self._require_channel().send(message, sockets)

    async def wait(self) -> int:
        """Wait until the child is gone; return its exit status."""
        status = await self._require_process().wait()
        self._bury()
        return status

    async def stop(self, grace: float) -> None:
        """Ask the child to end, and end it if it does not.

        Args:
            grace: Seconds between asking and ending.
        """
        self.state = State.DRAINING
        if not await self._ends(signal.SIGTERM, grace):
            if grace:
                _LOG.warning("%s did not end within %g s; killing it", self.name, grace)
            await self._ends(signal.SIGKILL, KILL_AFTER)
        self._bury()

    async def abandon(self) -> None:
        """End a child that did not become a worker, without a word, and wait until it is gone."""
        if not await self._ends(signal.SIGTERM, ABANDON_GRACE):
            await self._ends(signal.SIGKILL, KILL_AFTER)
        self._bury()

    def kill(self) -> None:
        """End the child now."""
        self._signal(signal.SIGKILL)

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

    def _bury(self) -> None:
        self.state = State.GONE
        if self._channel is not None:
            self._channel.close()

    async def _vanished(self) -> Failure:
        status = await self._require_process().wait()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return Failure(f"{self.name} ended before it was ready ({how})", "see its output above")

    def _require_channel(self) -> Channel:
        if self._channel is None:
            msg = f"{self.name} was not started"
            raise RuntimeError(msg)
        return self._channel

    def _require_process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            msg = f"{self.name} was not started"
            raise RuntimeError(msg)
        return self._process


async def launch(
    worker: WorkerProcess,
    prepare: Callable[[WorkerProcess], Awaitable[None]] | None = None,
    *,
    within: float = READY_WITHIN,
) -> WorkerProcess:
    """Start a worker and wait until it is ready.

    Args:
        worker: A worker that was not started yet.
        prepare: What has to be said between its birth and its being ready.
        within: Seconds it has for all of it.

    Raises:
        StartupError: It failed, or was not ready in time. It is gone then.
    """
    try:
        async with asyncio.timeout(within):
            await worker.start()
            if prepare is not None:
                await prepare(worker)
            await worker.expect("ready")
    except TimeoutError:
        await worker.abandon()
        msg = f"{worker.name} was not ready within {within:g} s"
        raise StartupError(msg, remedy="see its output above for what it waits for") from None
    except BaseException:
        await asyncio.shield(worker.abandon())
        raise
    return worker


def _text(message: dict[str, JsonValue], key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""

"""One worker: start it, hear that it is ready, stop it. Nothing here knows of other workers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fluxlit._types import JsonValue
from fluxlit.exceptions import StartupError
from fluxlit.workers.board import State
from fluxlit.workers.channel import JsonObject
from fluxlit.workers.child import Child
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit.workers")

ABANDON_GRACE: Final = 1.0
"""Seconds that a child which is not a worker yet has to end what its lifespan has begun."""

READY_WITHIN: Final = 120.0
"""Seconds from birth to ready; heavy imports on a slow, busy machine need many."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker could not start, in its own words."""

    message: str
    remedy: str = ""
    by_app: bool = True

    def to_error(self) -> StartupError:
        """Return it as the error that ends the start."""
        return StartupError(self.message, remedy=self.remedy, by_app=self.by_app)


class WorkerProcess:
    """A child process that serves, through its one life: starting, ready, draining, gone.

    Args:
        child: The process; spawned by :meth:`start` unless it is already.
        spec: What it is told at birth.
        note: Told of each new state.
    """

    def __init__(
        self, child: Child, spec: WorkerSpec, *, note: Callable[[State], None] = lambda _: None
    ) -> None:
        self._child = child
        self._note = note
        self.spec = spec
        self.name = f"{child.kind.label}-{spec.slot}"
        self.state = State.STARTING
        self._closed = asyncio.Event()

    @property
    def pid(self) -> int:
        """The child's process id; 0 before it is spawned."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        return self._child.returncode

    async def start(self) -> None:
        """Have the child, and tell it what to do.

        Raises:
            StartupError: The system has no room for another process.
        """
        await self._child.spawn()
        self._child.tell(self.spec.to_message())
        _LOG.debug("%s started, pid %d", self.name, self.pid)

    async def expect(self, event: str) -> JsonObject:
        """Wait for one event from the child.

        Args:
            event: ``"loaded"`` or ``"ready"``.

        Raises:
            StartupError: The child reported a failure, or is gone.
        """
        message = await self._child.hear()
        if message is None:
            raise (await self._vanished()).to_error()
        if message.get("event") == "failed":
            by_app = message.get("by_app") is not False
            raise Failure(_text(message, "message"), _text(message, "remedy"), by_app).to_error()
        if message.get("event") != event:
            msg = f"{self.name} said {message.get('event')!r} where {event!r} was due"
            raise StartupError(msg)
        return message

    def tell(self, message: JsonObject, sockets: Sequence[socket.socket] = ()) -> None:
        """Send the child a message; see :meth:`~fluxlit.workers.child.Child.tell`."""
        self._child.tell(message, sockets)

    def admit(self) -> None:
        """Put a ready worker into service: from now on visitors are sent to it."""
        self._enter(State.READY)

    async def wait(self) -> int:
        """Wait until the child is gone; return its exit status."""
        status = await self._child.wait()
        if self.state is not State.DRAINING:  # who stops it still listens
            self._child.close()
        self._enter(State.GONE)
        return status

    async def stop(self, grace: float) -> None:
        """Ask the child to end, and end it if it does not.

        Args:
            grace: Seconds between asking and ending.
        """
        self._enter(State.DRAINING)
        if not await self._child.end(grace, self._closed.set) and grace:
            _LOG.warning("%s did not end within %g s; killed it", self.name, grace)
        self._enter(State.GONE)

    async def closed(self) -> None:
        """Wait until the child accepts nobody any more, because it was asked to end or is gone."""
        await self._closed.wait()

    async def abandon(self) -> None:
        """End a child that did not get into service, without a word, and wait until it is gone."""
        await self._child.end(ABANDON_GRACE)
        self._enter(State.GONE)

    def kill(self) -> None:
        """End the child now."""
        self._child.kill()

    def _enter(self, state: State) -> None:
        if self.state is not State.GONE:  # its place on the board may be another's by now
            self.state = state
            self._note(state)
        if state is State.GONE:
            self._closed.set()

    async def _vanished(self) -> Failure:
        status = await self._child.wait()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return Failure(f"{self.name} ended before it was ready ({how})", "see its output above")


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

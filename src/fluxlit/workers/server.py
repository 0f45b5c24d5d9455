"""The server inside a worker: Uvicorn, with its start and end in the hands of the worker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import uvicorn
from uvicorn.server import ServerState

from fluxlit.workers.acceptor import Acceptor

Job = Callable[[], Coroutine[Any, Any, None]]


LOOK_SECONDS: Final = 0.02
"""Between two looks whether the last connection has gone."""

_OF_A_PARENT: Final = (signal.SIGTERM, signal.SIGINT)
"""What asks a worker to end."""


class CutOff(logging.Filter):
    """Keeps the end of a stream that has no end from looking like an error of the app.

    Uvicorn cancels what is in flight after the grace period, says how many that were, and logs a
    traceback for each: a service with a thousand event streams would log a thousand.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be heard."""
        cause = record.exc_info[1] if record.exc_info else None
        return not (isinstance(cause, asyncio.CancelledError) and cause.args == _OUT_OF_TIME)


_OUT_OF_TIME: Final = ("Task cancelled, timeout graceful shutdown exceeded",)
"""What a task is told by ``uvicorn.Server.shutdown``."""


class LastCallState(ServerState):
    """What a server's connections share: whether the answer they begin now is their last."""

    def __init__(self) -> None:
        super().__init__()
        self.is_last_call = False


@runtime_checkable
class Closing(Protocol):
    """A connection that can be told in time that the server ends."""

    def close_after_answer(self) -> None:
        """Say so in the answer that has not begun yet, if there is one."""

    def is_new(self) -> bool:
        """Tell whether it was opened a moment ago for a request that is still on its way."""


class WorkerServer(uvicorn.Server):
    """A Uvicorn server that tells when it is ready and leaves signals to its owner.

    ``uvicorn.Server.run`` raises a caught signal again at its end, which would end the process
    before it has cleaned up.

    Args:
        config: Uvicorn's configuration.
        on_ready: Called once, when connections are accepted.
        on_closed: Called once, when none is accepted any more.
        last_call: Seconds that idle connections get for one more request before they are closed.
    """

    server_state: LastCallState

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        on_closed: Callable[[], None] = lambda: None,
        *,
        last_call: float = 0.0,
    ) -> None:
        super().__init__(config)
        self.server_state = LastCallState()
        self._on_ready = on_ready
        self._on_closed = on_closed
        self._last_call = last_call

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as Uvicorn does, but for the way connections are accepted; then tell."""
        await super().startup([])
        accept = (Acceptor(sock, self.new_protocol, self.config.ssl) for sock in sockets or ())
        self.servers = list(accept)  # type: ignore[arg-type]  # as much of a server as is asked for
        if self.started:
            self._on_ready()

    def new_protocol(self) -> asyncio.Protocol:
        """Make the protocol of one more connection, as the server does for those it accepts."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as Uvicorn does, but close idle connections only after a last call.

        A request may be on its way on each of them, and would be lost: the peer cannot know
        whether it was read (RFC 9112 section 9.5). One that comes is answered with
        ``Connection: close``, after which nobody sends another. Without a last call those who
        have just connected are waited for all the same: nobody connects to ask nothing, and a
        first request that finds its connection closed is a failure to its sender, not a retry.
        """
        self.server_state.is_last_call = True
        for server in self.servers:
            server.close()
            await server.wait_closed()
        for sock in sockets or ():  # from here on the system refuses, or another worker accepts
            sock.close()
        self._on_closed()
        for connection in self.server_state.connections:
            if isinstance(connection, Closing):
                connection.close_after_answer()
        time = asyncio.get_running_loop().time
        deadline = time() + self._last_call
        while self._has_to_wait(called=time() < deadline):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(LOOK_SECONDS)
        await super().shutdown(sockets)

    def _has_to_wait(self, *, called: bool) -> bool:
        if self.force_exit:
            return False
        connections = self.server_state.connections
        if called:
            return bool(connections)
        return any(isinstance(it, Closing) and it.is_new() for it in connections)

    def drain(self) -> None:
        """Finish what is in flight and end; asked again, go on with that.

        A worker may be asked twice at once: a service manager or container that signals every
        process of a service asks it, and so does its parent. Who is in a hurry kills it.
        """
        self.should_exit = True

    def drain_or_end(self) -> None:
        """Finish what is in flight and end; asked again, end now."""
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(
    server: WorkerServer,
    sockets: Sequence[socket.socket],
    *background: Job,
    until: Sequence[signal.Signals] = (),
) -> None:
    """Serve on a loop of its own until a signal, then drain.

    Args:
        server: The server.
        sockets: Listening sockets; they are closed at the end.
        background: Coroutine functions that run beside the server.
        until: Signals of a person, who may ask again and then wants the end now. None: those of a
            parent are heard.
    """
    signals, hear = (until, server.drain_or_end) if until else (_OF_A_PARENT, server.drain)

    logging.getLogger("uvicorn.error").addFilter(CutOff())

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in signals:
            loop.add_signal_handler(number, hear)
        tasks = [loop.create_task(job()) for job in background]
        try:
            await server.serve(list(sockets))
        finally:
            for task in tasks:
                task.cancel()

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(main())

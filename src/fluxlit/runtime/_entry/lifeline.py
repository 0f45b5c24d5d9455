"""The worker's end of the channel: hears the parent, and dies with it."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from fluxlit._types import JsonValue
from fluxlit.app import FluxLit
from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.warm import prepare
from fluxlit.runtime.loading import load_app
from fluxlit.workers import descriptors, orphan
from fluxlit.workers.channel import Channel, ChannelClosedError, JsonObject
from fluxlit.workers.child import CLOSED
from fluxlit.workers.rundir import remove_abandoned
from fluxlit.workers.spec import WorkerSpec

ORPHAN_GRACE: Final = 1.0
"""Seconds that a worker has to finish after its parent is gone."""

ORPHAN_LIMIT: Final = 2
"""Seconds after which it is ended if even the grace does not end."""

LEAVING_GRACE: Final = 1.0
"""Seconds that the user's own threads have to end once everything was served."""

MOST_WORDS: Final = 64 * 1024
"""Characters of a reason that the parent is told; it takes messages of a bounded size."""

FAILED: Final = 1

_LOG: Final = logging.getLogger("fluxlit.workers")


class Lifeline(threading.Thread):
    """Listens to the parent from birth on, also while the user's code is being imported.

    A thread, because the main thread belongs to that code. When the parent is gone, however it
    went, the worker is asked to end and then ended.

    Args:
        channel: The line to the parent.

    Attributes:
        run_directory: The service's, as soon as it is known.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__(name="fluxlit-lifeline", daemon=True)
        self._channel = channel
        self._is_orphan = False
        self.run_directory: Path | None = None
        self._inbox: queue.SimpleQueue[tuple[JsonObject, list[socket.socket]]] = queue.SimpleQueue()

    def run(self) -> None:
        """Pass messages on until the parent is gone, then end this process."""
        try:
            while (received := self._channel.receive_blocking()) is not None:
                self._inbox.put(received)
        finally:
            self._is_orphan = True
            orphan.put_off(ORPHAN_LIMIT)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(ORPHAN_GRACE)
            self.clear_away()
            os._exit(FAILED)

    def clear_away(self) -> None:
        """Remove the run directory of a parent that could not do so itself."""
        if self._is_orphan and self.run_directory is not None:
            remove_abandoned(self.run_directory)

    def receive(self) -> tuple[JsonObject, list[socket.socket]]:
        """Wait for the next message and its sockets."""
        return self._inbox.get()

    def report(self, event: str, **details: JsonValue) -> None:
        """Tell the parent; a parent that is gone ends this process by itself."""
        with contextlib.suppress(ChannelClosedError):
            self._channel.send({"event": event, **details})

    def report_closed(self) -> None:
        """Tell the parent that nobody is accepted any more: its other workers have taken over."""
        self.report(CLOSED)


Serve = Callable[[Lifeline, WorkerSpec, FluxLit], None]


def run_worker(serve: Serve) -> NoReturn:
    """Be a worker: hear the spec, load the app, serve, and say why if that fails.

    Args:
        serve: Serves until the process is asked to end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptors.allow_many()
    lifeline = Lifeline(Channel.from_descriptor(int(sys.argv[1])))
    lifeline.start()
    spec = WorkerSpec.from_message(_hear_spec(lifeline))
    lifeline.run_directory = Path(spec.run_directory)
    sys.argv[1:] = []
    sys.path += [entry for entry in spec.search_path if entry not in sys.path]
    try:
        app = load_app(spec.target, spec.overrides)
        configure_logging(app.settings.effective_log_level())
        serve(lifeline, spec, app)
    except FluxLitError as exc:
        by_app = not isinstance(exc, StartupError) or exc.by_app
        told = str(exc)[:MOST_WORDS]
        lifeline.report("failed", message=told, remedy=exc.remedy, by_app=by_app)
        sys.exit(FAILED)
    finally:
        lifeline.clear_away()
    leave_threads()
    sys.exit(0)


def _hear_spec(lifeline: Lifeline) -> JsonObject:
    """Wait for what this worker is to be; one that is spawned ahead prepares meanwhile."""
    message, _ = lifeline.receive()
    if message.get("event") == "prepare":
        prepare(message)
        message, _ = lifeline.receive()
    return message


def leave_threads() -> None:
    """Have this process end in a moment although threads of the user's may still run."""
    threading.Thread(target=_leave, daemon=True).start()


def _leave() -> None:
    """End this process although threads of the user's still run; Python would wait for them."""
    time.sleep(LEAVING_GRACE)
    names = [item.name for item in threading.enumerate() if not item.daemon]
    _LOG.warning("ending while threads still run: %s", ", ".join(names[1:]))
    os._exit(0)

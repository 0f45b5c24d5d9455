"""A UI worker's process, spawned before the command line is read.

Who waits for a start waits for this process: it imports FastAPI and then Streamlit. The command
line takes a third as long, and only afterwards does anybody know what to serve. A child is told
that later in any case; one that turns out not to be wanted is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

from fluxlit.exceptions import StartupError
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind

_NOT_WITH: Final = ("-h", "--help", "--debug", "--embedded", "--ui-mode")
"""Flags with which there is nothing to serve, no UI worker, or another environment for it."""

_NOT_UNDER: Final = ("FLUXLIT_UI_MODE", "LISTEN_FDS", "NOTIFY_SOCKET")
"""Variables that say the same, or that a worker must not inherit from a service manager."""


def is_likely(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether a command that serves will want a UI worker.

    >>> is_likely(["run", "app:app"], {}), is_likely(["run", "--help"], {})
    (True, False)
    """
    if any(environ.get(name) for name in _NOT_UNDER):
        return False
    return not any(word.startswith(_NOT_WITH) for word in arguments)


class HeadStart:
    """The process, and the event loop that it and the service belong to.

    Attributes:
        child: The process; None where the system has no room for one.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.child: Child | None = Child(WorkerKind.UI)
        try:
            self._runner.run(self.child.spawn())
        except StartupError:
            self.child = None  # whoever needs a worker tells of it

    def run(self, service: Coroutine[Any, Any, None]) -> None:
        """Run the service, as :func:`asyncio.run` would."""
        self._runner.run(service)

    def close(self) -> None:
        """End the process, if it still runs, and the loop."""
        if self.child is not None and self.child.returncode is None:
            self._runner.run(self.child.end(0.0))
        self._runner.close()


HEAD_START: Final[ContextVar[HeadStart | None]] = ContextVar("fluxlit_head_start", default=None)
"""That of the command which is being run."""

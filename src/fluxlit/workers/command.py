"""How a worker is started: its command line and its environment (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class WorkerKind(StrEnum):
    """The two kinds of worker; the value is the module that a child runs."""

    GATEWAY = "fluxlit.runtime._entry.gateway"
    UI = "fluxlit.runtime._entry.ui"

    @property
    def label(self) -> str:
        """The kind as it is called in a log line."""
        return self.name.lower()


_QUIET: Final = {"PYTHONUNBUFFERED": "1"}

_KEEP_MEMORY: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024 * 1024),
}
"""For the C library of GNU (mallopt(3)): what one run has freed, the next one uses.

By itself it gives megabytes back to the system at the end of a run and takes them anew, page by
page, in the next, which is a third of the time of a page that shows a large table. One arena is
enough: a run allocates while it holds the interpreter's lock.
"""


def worker_command(python: str, kind: WorkerKind, channel: int) -> list[str]:
    """Return the command line of a worker; nothing secret is on it.

    With ``-P`` the working directory joins the search path only when the user's code is about to
    be imported: a ``queue.py`` beside it must not stand in for Python's own before that.

    >>> worker_command("python3", WorkerKind.UI, 7)
    ['python3', '-P', '-m', 'fluxlit.runtime._entry.ui', '7']
    """
    return [python, "-P", "-m", kind.value, str(channel)]


def worker_environment(kind: WorkerKind, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker: the parent's, with output shown as it comes."""
    memory = _KEEP_MEMORY if kind is WorkerKind.UI else {}
    return {**memory, **environ, **_QUIET}

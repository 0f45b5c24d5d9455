"""The ``fluxlit`` command: one file a group of commands; each parses, calls and prints."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from fluxlit._signals import AskedToEnd, asking_signals
from fluxlit.runtime.init import be_init_of

if TYPE_CHECKING:
    from fluxlit.cli.commands import app

__all__ = ["app", "main"]

SERVING: Final = frozenset({"demo", "dev", "run", "ui", "workbench"})
"""The commands that run until somebody ends them."""


def main() -> None:
    """Run the command line; an error of ours is one message and exit status 1."""
    for number in asking_signals():
        signal.signal(number, _leave)
    if os.getpid() == 1 and _serves():
        be_init_of(_run)
    else:
        _run()


def _run() -> None:
    if _serves():
        _serve_early()
    else:
        _obey()


def _serve_early() -> None:
    from fluxlit.cli.head_start import HEAD_START, HeadStart, is_likely  # noqa: PLC0415

    if not is_likely(sys.argv[1:], os.environ):
        _obey()
        return
    head_start = HeadStart()
    HEAD_START.set(head_start)
    try:
        _obey()
    finally:
        head_start.close()


def _obey() -> None:
    # Only now: whoever asks to end while this is being imported gets an end without a traceback.
    from fluxlit.cli.commands import app  # noqa: PLC0415
    from fluxlit.cli.output import print_error  # noqa: PLC0415
    from fluxlit.exceptions import FluxLitError  # noqa: PLC0415

    try:
        app()
    except FluxLitError as exc:
        print_error(exc)
        sys.exit(1)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler's signature
    """End: a service that had not begun is stopped, any other command has not done its work."""
    raise AskedToEnd(0 if _serves() else 128 + number)


def _serves() -> bool:
    return bool(SERVING.intersection(sys.argv[1:2]))


def __getattr__(name: str) -> object:
    """Import the tree of commands when it is first asked for (PEP 562)."""
    if name != "app":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from fluxlit.cli.commands import app  # noqa: PLC0415

    return app

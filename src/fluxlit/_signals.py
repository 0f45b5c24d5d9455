"""The signals by which somebody asks a service to end, or to load its code anew."""

from __future__ import annotations

import os
import signal


class AskedToEnd(SystemExit):
    """Somebody asked this process to end; unlike ``sys.exit()`` of an app, no fault of it."""


def asking_signals() -> tuple[signal.Signals, ...]:
    """Return Ctrl-C's, ``kill``'s and that of a terminal that is closed.

    The last one not for a process that was started to outlive its terminal: ``nohup`` ignores it.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def has_terminal() -> bool:
    """Tell whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def asks_to_reload(number: signal.Signals, *, had_terminal: bool) -> bool:
    """Tell whether a signal asks for the code to be loaded anew, and not for an end.

    SIGHUP means both; that of a terminal that is closed comes when the terminal is gone.

    Args:
        number: The signal.
        had_terminal: Whether this process was started from a terminal.
    """
    return number is signal.SIGHUP and (not had_terminal or has_terminal())

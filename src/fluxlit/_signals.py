"""The signals by which somebody asks a service to end."""

from __future__ import annotations

import signal


class AskedToEnd(SystemExit):
    """Somebody asked this process to end; unlike ``sys.exit()`` of an app, no fault of it."""


def asking_signals() -> tuple[signal.Signals, ...]:
    """Return Ctrl-C's, ``kill``'s and that of a terminal that is closed.

    The last one not for a process that was started to outlive its terminal.
    """
    if ignores_hangup():
        return (signal.SIGINT, signal.SIGTERM)
    return (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignores_hangup() -> bool:
    """Tell whether this process was started to outlive its terminal, as ``nohup`` does."""
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

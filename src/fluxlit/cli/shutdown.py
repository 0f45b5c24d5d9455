"""``fluxlit shutdown``."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from fluxlit.cli.output import note
from fluxlit.exceptions import FluxLitError
from fluxlit.runtime.pidfile import pidfile_path, remove_stale, running_pid

_POLL = 0.05
_KILL_WAIT = 2.0


def shutdown(
    pidfile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Pid file; .fluxlit-dev.pid if unset.", show_default=False
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for it to end.", min=0)
    ] = 5.0,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Kill it if it does not end in time.")
    ] = False,
) -> None:
    """Stop the service that a pid file names.

    Exit status: 0 when it is stopped, 1 when it still runs, 2 when there is no pid file.

    Example: fluxlit shutdown --wait 30 --force
    """
    path = pidfile_path(pidfile, os.environ)
    try:
        pid = running_pid(path)
    except FileNotFoundError:
        note(f"No pid file at {path}")
        raise typer.Exit(2) from None
    if pid is None:
        remove_stale(path)
        note(f"The service of {path} is gone already; removed the file.")
        return
    _send(pid, signal.SIGTERM)
    if _released(path, wait):
        note(f"Stopped (pid {pid}).")
        return
    if force:
        _send(pid, signal.SIGKILL)
        if _released(path, _KILL_WAIT):
            remove_stale(path)
            note(f"Killed (pid {pid}).")
            return
    note(f"Still running after {wait:g} s (pid {pid}); pass --force to kill it.")
    raise typer.Exit(1)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself this moment
    except PermissionError as exc:
        msg = f"the service (pid {pid}) belongs to another user"
        raise FluxLitError(msg, remedy="stop it as that user") from exc


def _released(path: Path, seconds: float) -> bool:
    """Wait until nobody holds the pid file any more."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if running_pid(path) is None:
                return True
        except FileNotFoundError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)

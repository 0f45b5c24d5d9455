"""``fluxlit reload``."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fluxlit.cli.flags import JsonOption
from fluxlit.cli.output import note, out
from fluxlit.exceptions import FluxLitError, StartupError

if TYPE_CHECKING:
    from fluxlit.runtime.rollout import Rollout

_POLL: Final = 0.05


def reload(
    pidfile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Pid file; .fluxlit-dev.pid if unset.", show_default=False
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="How long to wait for the outcome; 0 for not at all.", min=0
        ),
    ] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Have a running service take up new code, without a gap.

    New workers are started and serve when they are ready; then the old ones finish and end. If the
    new code does not start, the old one serves on.

    Exit status: 0 when it serves the new code, 1 when it does not, 2 when there is no service.

    Example: fluxlit reload --timeout 60
    """
    from fluxlit.runtime.pidfile import pidfile_path, running_pid  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.runtime.rollout import latest_rollout  # noqa: PLC0415
    from fluxlit.workers.rundir import run_directory_of  # noqa: PLC0415

    path = pidfile_path(pidfile, os.environ)
    try:
        pid = running_pid(path)
    except FileNotFoundError:
        pid = None
    if pid is None:
        note(f"No service runs with the pid file {path}")
        raise typer.Exit(2)
    directory = run_directory_of(pid, os.environ)
    before = latest_rollout(directory).number
    _ask(pid)
    if not timeout:
        note(f"Asked (pid {pid}).")
        return
    rollout = _outcome(path, directory, before, timeout)
    if as_json:
        out(json.dumps({"pid": pid, **rollout.to_json()}))
    _tell(rollout, pid, told=as_json)


def _ask(pid: int) -> None:
    from fluxlit.runtime.signals import RELOAD  # noqa: PLC0415 - `--help` needs none of it

    try:
        os.kill(pid, RELOAD)
    except ProcessLookupError:
        msg = f"the service (pid {pid}) ended this moment"
        raise FluxLitError(msg, remedy="start it again") from None
    except PermissionError as exc:
        msg = f"the service (pid {pid}) belongs to another user"
        raise FluxLitError(msg, remedy="reload it as that user") from exc


def _outcome(pidfile: Path, directory: Path, before: int, seconds: float) -> Rollout:
    """Wait for the end of a rollout that was not there before."""
    from fluxlit.runtime.rollout import latest_rollout  # noqa: PLC0415 - `--help` needs none of it

    deadline = time.monotonic() + seconds
    while True:
        rollout = latest_rollout(directory)
        if rollout.number > before and rollout.is_over:
            return rollout
        if not _is_held(pidfile):
            msg = "the service ended before it had taken up the new code"
            raise FluxLitError(msg, remedy="see its output, and start it again")
        if time.monotonic() >= deadline:
            what = "is not through" if rollout.number > before else "has not begun"
            msg = f"the reload {what} after {seconds:g} s"
            raise FluxLitError(msg, remedy="see the service's output, or wait with --timeout")
        time.sleep(_POLL)


def _is_held(pidfile: Path) -> bool:
    from fluxlit.runtime.pidfile import running_pid  # noqa: PLC0415 - `--help` needs none of it

    try:
        return running_pid(pidfile) is not None
    except FileNotFoundError:
        return False


def _tell(rollout: Rollout, pid: int, *, told: bool) -> None:
    from fluxlit.runtime.rollout import Progress  # noqa: PLC0415 - `--help` needs none of it

    if rollout.state is Progress.FAILED:
        if told:
            raise typer.Exit(1)
        msg = f"the old version serves on, because the new one does not start: {rollout.message}"
        raise StartupError(msg, remedy=rollout.remedy)
    if not told:
        what = f": {rollout.message}" if rollout.message else ""
        note(f"Reloaded in {rollout.seconds:.1f} s (pid {pid}){what}")

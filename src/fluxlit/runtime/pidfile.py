"""The pid file: how ``fluxlit shutdown`` finds a service, without ever hitting a stranger.

A running service holds a lock on its pid file. A file whose lock is free is left over from a
service that was killed, whatever process has its number now.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from fluxlit import _env
from fluxlit.exceptions import StartupError

DEFAULT_NAME: Final = ".fluxlit-dev.pid"


def pidfile_path(given: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the pid file is: what was given, ``FLUXLIT_PIDFILE``, or the default."""
    chosen = given or environ.get(_env.PIDFILE, "").strip() or DEFAULT_NAME
    return Path(chosen).absolute()


class PidFile:
    """A pid file held by this process; a context manager.

    Args:
        path: Where it is.

    Raises:
        StartupError: Another running service holds it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Write the file and hold its lock."""
        try:
            file = self.path.open("a+", encoding="ascii")
        except OSError as exc:
            msg = f"cannot write the pid file {self.path}: {exc.strerror}"
            raise StartupError(
                msg, remedy="pass --pidfile with another path, or --no-pidfile"
            ) from exc
        if not _try_lock(file):
            msg = f"a service that uses the pid file {self.path} is already running"
            file.close()
            raise StartupError(msg, remedy="stop it with `fluxlit shutdown`, or pass --no-pidfile")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def running_pid(path: Path) -> int | None:
    """Return the process id of the service that holds a pid file; None if none does.

    Raises:
        FileNotFoundError: There is no such file.
    """
    with path.open("r+", encoding="ascii", errors="replace") as file:
        if _try_lock(file):
            return None
        first = file.readline().strip()
    return int(first) if first.isdecimal() else None


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

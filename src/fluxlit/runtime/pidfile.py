"""The pid file: how ``fluxlit shutdown`` finds a service, without ever hitting a stranger.

A running service holds a lock on its pid file. A file whose lock is free is left over from a
service that was killed, whatever process has its number now.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from fluxlit import _env
from fluxlit.exceptions import ConfigurationError, StartupError

DEFAULT_NAME: Final = ".fluxlit-dev.pid"

UI_NAME: Final = ".fluxlit-ui.pid"
"""The default of ``fluxlit ui``, which may run in the folder of a whole service."""

_MAX_SIZE: Final = 64
"""Bytes; what is larger is somebody's file, not a pid file."""


def pidfile_path(
    given: Path | None, environ: Mapping[str, str], default: str = DEFAULT_NAME
) -> Path:
    """Return where the pid file is: what was given, ``FLUXLIT_PIDFILE``, or the default."""
    chosen = given or environ.get(_env.PIDFILE, "").strip() or default
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
        with ExitStack() as opened:
            file = opened.enter_context(self._lock())
            opened.callback(self.path.unlink, missing_ok=True)
            with self._writing():
                file.truncate(0)
                # Past the file's own buffer, which would try again when it is closed.
                os.write(file.fileno(), f"{os.getpid()}\n".encode())
            opened.pop_all()
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

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            msg = f"cannot write the pid file {self.path}: {exc.strerror}"
            remedy = "pass --pidfile with another path, or --no-pidfile"
            raise StartupError(msg, remedy=remedy) from exc

    def _lock(self) -> IO[str]:
        """Open and lock the file, again if its last owner removed it in between."""
        while True:
            with self._writing():
                file = self.path.open("a+", encoding="ascii")
            with ExitStack() as opened:
                opened.callback(file.close)
                if not _try_lock(file, fcntl.LOCK_EX):
                    msg = f"a service that uses the pid file {self.path} is already running"
                    remedy = "stop it with `fluxlit shutdown`, or pass --no-pidfile"
                    raise StartupError(msg, remedy=remedy)
                _check_content(file, self.path)
                if _is_at(file, self.path):
                    opened.pop_all()
                    return file


def running_pid(path: Path) -> int | None:
    """Return the process id of the service that holds a pid file; None if none does.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigurationError: It cannot be read, or what holds it is not a service of ours.
    """
    with _open(path) as file:
        # Shared, so that two who look at once do not take each other for the service.
        if _try_lock(file, fcntl.LOCK_SH):
            return None
        first = file.read(_MAX_SIZE).strip()
    if first.isdecimal() and int(first) > 1:
        return int(first)
    msg = f"{path} is in use, but holds no process id"
    raise ConfigurationError(msg, remedy="a service may be starting: try again; else name its file")


def remove_stale(path: Path) -> None:
    """Remove a pid file that nobody holds; one that a service has just taken stays.

    Raises:
        ConfigurationError: It holds something that no service wrote.
    """
    with suppress(FileNotFoundError), _open(path) as file:
        if _try_lock(file, fcntl.LOCK_EX) and _is_at(file, path):
            _check_content(file, path)
            path.unlink()


def _open(path: Path) -> IO[str]:
    try:
        return path.open("r+", encoding="ascii", errors="replace")
    except FileNotFoundError:
        raise
    except OSError as exc:
        msg = f"cannot read the pid file {path}: {exc.strerror}"
        raise ConfigurationError(msg, remedy="name another with --pidfile") from exc


def _check_content(file: IO[str], path: Path) -> None:
    """Never overwrite or remove somebody's file that was named by mistake."""
    if os.fstat(file.fileno()).st_size > _MAX_SIZE:
        msg = f"{path} is not a pid file: it is too large"
        raise ConfigurationError(msg, remedy="name another with --pidfile")


def _is_at(file: IO[str], path: Path) -> bool:
    """Tell whether an open file is still what its path leads to."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

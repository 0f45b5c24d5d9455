"""The run directory: the registry of one running service's sockets.

Private to its user (mode 0700). Its owner holds a lock on the file ``lock`` for as long as it
lives, so whoever finds a directory whose lock is free knows that the owner is gone, however it
went, and may remove it. Process ids are not consulted: they are reused.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from fluxlit import _env
from fluxlit.exceptions import StartupError

MAX_SOCKET_PATH: Final = 103
"""Bytes of a Unix socket's path that every supported system takes (sun_path: 104 on macOS)."""

_LONGEST_NAME: Final = "/0123456789abcdef/ui-99.1234567.sock"
_UNFINISHED_SECONDS: Final = 60.0


def api_socket(directory: str | Path) -> str:
    """Return the path of the gateway's private socket, by which pages call the API."""
    return str(Path(directory, "api.sock"))


def ui_socket(directory: str | Path, slot: int) -> str:
    """Return the path of a UI worker's socket; it exists once the worker is ready."""
    return str(Path(directory, f"ui-{slot}.sock"))


def base_directory(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the run directories of this user, and make sure it is private.

    ``FLUXLIT_RUN_DIR``, else a folder under ``XDG_RUNTIME_DIR``, else one under the temporary
    directory. A candidate whose path would make socket paths too long is passed over.

    Raises:
        StartupError: The folder exists and belongs to somebody else or is open to others.
    """
    name = f"fluxlit-{os.getuid()}"
    candidates = [environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108 - owner and mode are checked
    roots = [Path(root, name) for root in candidates if root and os.access(root, os.W_OK)]
    if chosen := environ.get(_env.RUN_DIR):
        roots.insert(0, Path(chosen))
    for root in roots:
        if len(os.fsencode(f"{root}{_LONGEST_NAME}")) <= MAX_SOCKET_PATH:
            _make_private(root)
            return root
    msg = f"no folder for sockets with a path short enough: tried {', '.join(map(str, roots))}"
    raise StartupError(msg, remedy=f"set {_env.RUN_DIR} to a short path, such as /run/fluxlit")


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    mine = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
    if not mine or found.st_mode & 0o077:
        msg = f"the run directory {folder} is not private to this user"
        remedy = f"remove it, or set {_env.RUN_DIR} to a folder with mode 0700 that is yours"
        raise StartupError(msg, remedy=remedy)


class RunDirectory:
    """One service's run directory, from making to removing; a context manager.

    Args:
        base: From :func:`base_directory`.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._lock: IO[str] | None = None
        self.path = base / secrets.token_hex(8)

    def __enter__(self) -> Self:
        """Remove what dead services left, then make and lock this one."""
        sweep(self._base)
        unfinished = self._base / f".{self.path.name}"
        unfinished.mkdir(mode=0o700)
        self._lock = (unfinished / "lock").open("w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unfinished.rename(self.path)  # it never has its name without its lock
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the directory and all sockets in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def sweep(base: Path) -> list[Path]:
    """Remove the run directories of services that are gone; return what was removed."""
    removed = []
    for folder in base.iterdir():
        if folder.is_dir() and not folder.is_symlink() and _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_abandoned(folder: Path) -> bool:
    if folder.name.startswith("."):  # in the making; if its maker died there, it grows old
        return time.time() - folder.lstat().st_mtime > _UNFINISHED_SECONDS
    try:
        with (folder / "lock").open("r+", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True

"""The run directory: the registry of one running service's sockets.

Private to its user (mode 0700). Its owner holds a lock on the file ``lock`` for as long as it
lives, so whoever finds a directory whose lock is free knows that the owner is gone, however it
went, and may remove it. Process ids do not decide that: they are reused. The one in the lock tells
`fluxlit reload` which directory is that of the service it asks.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from fluxlit import _env
from fluxlit._door import SUFFIX
from fluxlit.exceptions import FluxLitError, StartupError

MAX_SOCKET_PATH: Final = 103
"""Bytes of a Unix socket's path that every supported system takes (sun_path: 104 on macOS)."""

_NAME: Final = re.compile(r"\.?[0-9a-f]{16}")
_LONGEST_NAME: Final = "/0123456789abcdef/ui-99.1234567.sock"
_UNFINISHED_SECONDS: Final = 60.0


def api_socket(directory: str | Path) -> str:
    """Return the path of the gateway's private socket, by which pages call the API."""
    return str(Path(directory, "api.sock"))


def api_door(directory: str | Path) -> str:
    """Return the path of the file that tells where that is, if it is a port."""
    return str(Path(directory, f"api{SUFFIX}"))


def ui_socket(directory: str | Path, slot: int, generation: int) -> str:
    """Return the path of a UI worker's socket; the board says whether it serves there yet."""
    return str(Path(directory, f"ui-{slot}.{generation}.sock"))


def handoff_socket(socket_path: str) -> str:
    """Return where the UI worker of a socket takes browsers' sockets over."""
    return f"{socket_path.removesuffix('.sock')}.give"


def base_directory(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the run directories of this user, and make sure it is private.

    ``FLUXLIT_RUN_DIR``, else a folder under ``XDG_RUNTIME_DIR``, else one under the temporary
    directory; of the last two, one whose path would make socket paths too long is passed over.

    Raises:
        StartupError: The folder cannot be made, belongs to somebody else, is open to others, or
            its path is too long.
    """
    for root in _candidates(environ):
        if len(os.fsencode(f"{root}{_LONGEST_NAME}")) <= MAX_SOCKET_PATH:
            _make_private(root)
            return root
    tried = ", ".join(str(root) for root in _candidates(environ))
    msg = f"no folder for sockets with a path short enough: tried {tried}"
    raise StartupError(msg, remedy=f"set {_env.RUN_DIR} to a short path, such as /run/fluxlit")


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    if chosen := environ.get(_env.RUN_DIR):
        return [Path(chosen).absolute()]
    folders = [environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108 - owner and mode are checked
    return [
        Path(folder, f"fluxlit-{os.getuid()}")
        for folder in folders
        if folder and os.access(folder, os.W_OK)
    ]


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as exc:
        msg = f"cannot make the run directory {folder}: {exc.strerror}"
        raise StartupError(msg, remedy=f"set {_env.RUN_DIR} to a folder that can be made") from exc
    mine = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
    if not mine or found.st_mode & 0o077:
        msg = f"the run directory {folder} is not private to this user"
        remedy = f"remove it, or set {_env.RUN_DIR} to a folder with mode 0700 that is yours"
        raise StartupError(msg, remedy=remedy)


@contextlib.contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Explain what goes wrong when something is made in a run directory.

    Raises:
        StartupError: The disk is full, or cannot be written.
    """
    try:
        yield
    except OSError as exc:
        msg = f"cannot write in the run directory {folder}: {exc.strerror}"
        remedy = f"make room there, or set {_env.RUN_DIR} to a folder on another disk"
        raise StartupError(msg, remedy=remedy) from exc


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
        """Remove what dead services left, then make and lock this one.

        Raises:
            StartupError: It cannot be made.
        """
        unfinished = self._base / f".{self.path.name}"
        with writing_in(self._base), contextlib.ExitStack() as made:
            sweep(self._base)
            made.callback(_remove, unfinished)
            unfinished.mkdir(mode=0o700)
            lock = made.enter_context((unfinished / "lock").open("w", encoding="ascii"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            unfinished.rename(self.path)  # it never has its name without its lock
            made.pop_all()
        self._lock = lock
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the directory and all sockets in it."""
        _remove(self.path)
        if self._lock is not None:
            self._lock.close()


def run_directory_of(pid: int, environ: Mapping[str, str]) -> Path:
    """Find the run directory of a running service.

    Linux tells which files a process has open, its lock among them. Elsewhere this user's folders
    are looked through, which is enough if the service has the same environment.

    Args:
        pid: The service's process id.
        environ: The variables of whoever looks.

    Raises:
        FluxLitError: There is none where it can be seen from here.
    """
    bases = [base for base in _candidates(environ) if base.is_dir()]
    around = itertools.chain.from_iterable(base.iterdir() for base in bases)
    for folder in itertools.chain(_folders_of_open_files(pid), around):
        if _NAME.fullmatch(folder.name) and _owner(folder) == pid:
            return folder
    msg = f"cannot see the run directory of the service (pid {pid})"
    remedy = f"do this as its user, with the {_env.RUN_DIR} that it has"
    raise FluxLitError(msg, remedy=remedy)


def _folders_of_open_files(pid: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):  # another user's process, another system, or gone
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                yield link.readlink().parent


def _owner(folder: Path) -> int | None:
    """Return the process id that the owner of a run directory has written into its lock."""
    try:
        return int((folder / "lock").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def sweep(base: Path) -> list[Path]:
    """Remove the run directories of services that are gone; return what was removed."""
    return [folder for folder in base.iterdir() if remove_abandoned(folder)]


def remove_abandoned(folder: Path) -> bool:
    """Remove a folder if it is the run directory of a service that is gone; tell whether it was."""
    ours = _NAME.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
    abandoned = bool(ours) and _is_abandoned(folder)
    if abandoned:
        _remove(folder)
    return abandoned


def _remove(folder: Path) -> None:
    """Remove a run directory, its lock last: what has none is not one, or empty.

    Never a folder in it: a run directory has none, so nobody's files are ever lost.
    """
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != "lock":
                entry.unlink(missing_ok=True)
        (folder / "lock").unlink(missing_ok=True)
        folder.rmdir()


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.name.startswith("."):  # in the making; if its maker died there, it grows old
            return time.time() - folder.lstat().st_mtime > _UNFINISHED_SECONDS
        if not (folder / "lock").exists():
            return not any(folder.iterdir())
        with (folder / "lock").open("r+", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or removed by somebody else this moment
        return False
    return True

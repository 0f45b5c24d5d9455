"""Where the demo's database file lives."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fluxlit.exceptions import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_NAME = "FLUXLIT_DEMO_DB"
FILE_NAME = "fluxlit-demo.sqlite3"


def database_path(environ: Mapping[str, str], home: Path, temporary: Path | None = None) -> Path:
    """Find the place of the database and make its directory.

    Args:
        environ: ``FLUXLIT_DEMO_DB`` names the file itself, ``XDG_CACHE_HOME`` the cache.
        home: The user's home directory, for the cache in its usual place.
        temporary: Where temporary files go; by default where the system keeps them.

    Returns:
        The named file; else one in the user's cache; else, where that cannot be written, one in
        a directory of the user's own among the temporary files.

    Raises:
        StartupError: The directory cannot be made or belongs to somebody else.
    """
    if named := environ.get(ENVIRONMENT_NAME):
        return _made(Path(named).expanduser().absolute().parent) / Path(named).name
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "fluxlit"
    if _writable(cache):
        return cache / FILE_NAME
    return _private_directory(temporary or Path(tempfile.gettempdir())) / FILE_NAME


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the demo's database directory {directory} cannot be made: {error}"
        raise StartupError(msg, remedy=f"set {ENVIRONMENT_NAME} to a file you may write") from error
    return directory


def _writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    file = directory / FILE_NAME
    return os.access(directory, os.W_OK | os.X_OK) and (
        not file.exists() or os.access(file, os.W_OK)
    )


def _private_directory(temporary: Path) -> Path:
    """Make ``fluxlit-demo-<user>``: all workers find the same, no other user may prepare it."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    directory = temporary / f"fluxlit-demo-{user}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        stat = directory.lstat()
    except OSError as error:
        msg = f"no place for the demo's database: {error}"
        raise StartupError(msg, remedy=f"set {ENVIRONMENT_NAME} to a file you may write") from error
    if hasattr(os, "getuid") and (stat.st_uid != user or directory.is_symlink()):
        msg = f"{directory} belongs to somebody else"
        raise StartupError(msg, remedy=f"set {ENVIRONMENT_NAME} to a file you may write")
    return directory

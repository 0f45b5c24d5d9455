"""Precompressed copies of Streamlit's files, kept on disk for every service of this user.

A copy is made under another name and renamed, so it is whole or absent; it is used only after it
has been seen to expand to the very file it stands for. So nothing that happens to the folder can
change what a browser gets: a folder that is missing, full, read-only or tampered with costs bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from fluxlit._streamlit.frontend import StreamlitFrontend, find_frontend
from fluxlit.exceptions import StartupError
from fluxlit.frontend.catalog import FrontendFile, by_urgency, fingerprint, list_files
from fluxlit.frontend.coding import CODINGS, THOROUGH_BROTLI, Coding

logger = logging.getLogger("fluxlit.frontend")

KEPT_VERSIONS: Final = 4
"""How many sets of copies stay on disk, for as many versions of Streamlit."""

_PREFIX: Final = "streamlit-"
_LOCK: Final = ".lock"
_NAME: Final = re.compile(rf"{_PREFIX}.+-[0-9a-f]{{12}}")


class Job(NamedTuple):
    """One copy to make."""

    file: FrontendFile
    coding: Coding


@dataclass(frozen=True, slots=True)
class CopyCache:
    """The copies for one set of files.

    Attributes:
        directory: Where they are; it need not exist.
    """

    directory: Path

    @classmethod
    def of(
        cls, root: Path, frontend: StreamlitFrontend, files: Sequence[FrontendFile]
    ) -> CopyCache:
        """Return the cache for the files of one Streamlit version under a root folder."""
        digest = hashlib.sha256(b"brotli %d\n" % THOROUGH_BROTLI)
        for line in fingerprint(files):
            digest.update(line)
        return cls(root / f"{_PREFIX}{frontend.version}-{digest.hexdigest()[:12]}")

    def read(self, job: Job, content: bytes) -> bytes | None:
        """Return the copy of a content; None if there is none that can be used."""
        try:
            copy = self._path(job).read_bytes()
        except OSError:
            return None
        return copy if job.coding.expands_to(copy, content) else None

    def missing(self, files: Sequence[FrontendFile]) -> list[Job]:
        """Return the copies that are still to be made, in the order of the files."""
        jobs = (Job(file, coding) for file in files if file.compressible for coding in CODINGS)
        return [job for job in jobs if not self._path(job).exists()]

    def make(self, job: Job) -> int:
        """Make one copy; return its length in bytes.

        Raises:
            OSError: The file cannot be read, or the copy not be written.
        """
        copy = job.coding.thorough(job.file.source.read_bytes())
        path = self._path(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with open(descriptor, "wb") as unfinished:  # noqa: PTH123 - a descriptor
                unfinished.write(copy)
                os.fchmod(descriptor, 0o644)
            Path(name).rename(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return len(copy)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the one who makes copies, if nobody else does; yields whether.

        Raises:
            OSError: The folder cannot be made.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / _LOCK).open("a", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            os.utime(self.directory)
            self._forget_old_versions()
            yield True

    def _path(self, job: Job) -> Path:
        return self.directory / f"{job.file.name}{job.coding.suffix}"

    def _forget_old_versions(self) -> None:
        folders = [
            folder
            for folder in self.directory.parent.glob(f"{_PREFIX}*")
            if _NAME.fullmatch(folder.name) and (folder / _LOCK).is_file()
        ]
        folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_VERSIONS:]:
            shutil.rmtree(folder, ignore_errors=True)


def open_cache(root: Path) -> tuple[CopyCache, list[FrontendFile]]:
    """Return the cache for the installed Streamlit's files, and these, the urgent ones first.

    Raises:
        StartupError: Streamlit is not installed, or lacks its files.
    """
    streamlit = find_frontend()
    if streamlit is None:
        msg = "Streamlit's files for the browser cannot be found"
        raise StartupError(msg, remedy=f"{sys.executable} -m pip install streamlit")
    files = list_files(streamlit)
    return CopyCache.of(root, streamlit, files), by_urgency(files, streamlit.index())


class CopyMaker(threading.Thread):
    """Makes the missing copies while nobody waits for them.

    A daemon: it never keeps the process from ending.

    Args:
        cache: Where the copies go.
        files: The files, the urgent ones first.
    """

    def __init__(self, cache: CopyCache, files: Sequence[FrontendFile]) -> None:
        super().__init__(name="fluxlit-copies", daemon=True)
        self._cache = cache
        self._files = files
        self._stopping = threading.Event()

    def run(self) -> None:
        """Make copies until all are there or :meth:`stop` is called."""
        _yield_to_everybody()
        try:
            if self._cache.missing(self._files):
                self._make_missing()
        except OSError as exc:
            logger.info("no precompressed copies are kept: %s", exc)

    def stop(self) -> None:
        """Make no further copy."""
        self._stopping.set()

    def _make_missing(self) -> None:
        with self._cache.alone() as alone:
            for job in self._cache.missing(self._files) if alone else ():
                if self._stopping.is_set():
                    return
                self._cache.make(job)


def _yield_to_everybody() -> None:
    """Give this thread the lowest priority where threads have one of their own."""
    if hasattr(os, "setpriority") and Path("/proc/self/task").exists():  # Linux: setpriority(2)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)

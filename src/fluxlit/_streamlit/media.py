"""The files that a page shows or offers: pictures, sounds, downloads.

Streamlit forgets a session's files when its script starts and deletes what nobody has named when
*any* script ends, be it that it was stopped for the next run. While a page runs, its buttons still
offer files that may be gone: who presses "Download" in that moment is told that it failed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryFile, MemoryMediaFileStorage

LINGER_SECONDS: Final = 60.0
"""For how long a file outlives the last page that named it: longer than most scripts run."""

LINGER_BYTES: Final = 64 * 1024 * 1024
"""Bytes that may linger in a process; the file that left last may be larger by itself."""


class LingeringStorage(MemoryMediaFileStorage):
    """Streamlit's storage, which keeps a file for a while after it has been deleted.

    It also tells files apart by their whole content. Streamlit names one above 1 MiB by its length
    and three samples of it, so that one visitor's report is given to another whose report differs
    elsewhere.

    All that changes it is called under the lock of Streamlit's ``MediaFileManager``; its readers
    take no lock and need none.

    Args:
        media_endpoint: The path under which the files are served.
        clock: Seconds that only grow.
    """

    def __init__(self, media_endpoint: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(media_endpoint)
        self._clock = clock
        self._leaving: dict[str, float] = {}
        self._leaving_bytes = 0

    def load_and_get_id(
        self,
        path_or_data: str | bytes,
        mimetype: str,
        kind: MediaFileKind,
        filename: str | None = None,
    ) -> str:
        """Keep a file, and return the name under which it is served."""
        content = self._read_file(path_or_data) if isinstance(path_or_data, str) else path_or_data
        file_id = super().load_and_get_id(content, mimetype, kind, filename)
        if self._files_by_id[file_id].content != content:
            file_id = f"{file_id}{hashlib.sha256(content).hexdigest()}"
            self._files_by_id.setdefault(file_id, MemoryFile(content, mimetype, kind, filename))
        self._come_back(file_id)
        self._let_go()
        return file_id

    def delete_file(self, file_id: str) -> None:
        """Let a file go after a while, unless it is named again until then."""
        self._come_back(file_id)
        if file_id in self._files_by_id:
            self._leaving[file_id] = self._clock() + LINGER_SECONDS
            self._leaving_bytes += self._files_by_id[file_id].content_size
        self._let_go()

    def _come_back(self, file_id: str) -> None:
        if self._leaving.pop(file_id, None) is not None:
            self._leaving_bytes -= self._files_by_id[file_id].content_size

    def _let_go(self) -> None:
        """Delete, in the order in which they left, what has lingered long enough or is too much."""
        now = self._clock()
        for file_id, until in list(self._leaving.items()):
            too_much = self._leaving_bytes > LINGER_BYTES and len(self._leaving) > 1
            if until > now and not too_much:
                break
            self._come_back(file_id)
            super().delete_file(file_id)

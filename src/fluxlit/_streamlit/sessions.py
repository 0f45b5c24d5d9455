"""Sessions of tabs that have left are kept for a while, and then let go."""

from __future__ import annotations

import asyncio
import builtins
from typing import Final

from streamlit.runtime import get_instance
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo

LOOKS: Final = 10
"""How often within the time for which a session is kept its end is looked for."""


class PassingStorage(MemorySessionStorage):
    """Streamlit's storage, which lets sessions go when their time is over.

    By itself it does so when another visitor leaves. A worker that had a hundred visitors in the
    morning would hold their data all night, and three descriptors for each.

    Args:
        seconds: For how long a session is kept.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(ttl_seconds=seconds)
        self._pause = seconds / LOOKS
        self._next: asyncio.TimerHandle | None = None

    def save(self, session_info: SessionInfo) -> None:
        """Keep a session; its Runtime's loop runs."""
        super().save(session_info)
        if self._next is None:
            self._look_later()

    def list(self) -> builtins.list[SessionInfo]:
        """Return the sessions that are kept, and let go of all others."""
        len(self._cache)  # counting lets go of those whose time is over
        return super().list()

    def _look_later(self) -> None:
        self._next = asyncio.get_running_loop().call_later(self._pause, self._look)

    def _look(self) -> None:
        self._next = None
        if self.list():
            self._look_later()


def held_sessions() -> int:
    """Count the sessions of this process: those of open tabs, and those that are kept."""
    return len(get_instance()._session_mgr.list_sessions())  # noqa: SLF001 - no public count

"""A store in the memory of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, Final, NamedTuple

A_DAY: Final = 86400


class _Entry(NamedTuple):
    data: dict[str, Any]
    until: float


class InMemorySessionStore:
    """Keeps sessions in this process, until it ends.

    Each UI worker has its own: with several, a session is found again only by the worker that
    made it. May be used by many threads.

    Args:
        max_entries: Most sessions kept; beyond, the one that was made first is forgotten.
        default_ttl_seconds: Seconds that one is kept after it was last written; None, 0 or less:
            as long as there is room.
        clock: Seconds that only grow; for tests.

    Example:
        >>> store = InMemorySessionStore(max_entries=1)
        >>> store.set("a", {"x": 1})
        >>> store.set("b", {"x": 2})
        >>> store.get("a"), store.get("b")
        (None, {'x': 2})
    """

    def __init__(
        self,
        *,
        max_entries: int = 5000,
        default_ttl_seconds: float | None = A_DAY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._most = max_entries
        self._ttl = default_ttl_seconds
        self._clock = clock
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def get(self, session_id: str) -> dict[str, Any] | None:
        """Return a copy of what is kept for a session; None when there is nothing."""
        with self._lock:
            entry = self._entries.get(session_id)
            if entry is not None and entry.until <= self._clock():
                del self._entries[session_id]
                entry = None
        return None if entry is None else dict(entry.data)

    def set(
        self, session_id: str, data: Mapping[str, Any], *, ttl_seconds: float | None = None
    ) -> None:
        """Keep a copy of *data* for a session, instead of what was kept before.

        Args:
            session_id: The session.
            data: Its values; they themselves are not copied.
            ttl_seconds: Seconds to keep it; None for the store's default, 0 or less for ever.
        """
        ttl = self._ttl if ttl_seconds is None else ttl_seconds
        until = self._clock() + ttl if ttl is not None and ttl > 0 else inf
        with self._lock:
            self._entries[session_id] = _Entry(dict(data), until)
            if len(self._entries) > self._most:
                self._make_room()

    def delete(self, session_id: str) -> None:
        """Forget a session; one that is not known is no error."""
        with self._lock:
            self._entries.pop(session_id, None)

    def _make_room(self) -> None:
        """Forget what is over, and where that is not enough, what was made first."""
        now = self._clock()
        for name in [name for name, entry in self._entries.items() if entry.until <= now]:
            del self._entries[name]
        while len(self._entries) > self._most:
            del self._entries[next(iter(self._entries))]

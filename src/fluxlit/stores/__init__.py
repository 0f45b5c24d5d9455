"""Where state that outlives one run of a page is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from fluxlit.stores.memory import InMemorySessionStore

__all__ = ["InMemorySessionStore", "SessionStore"]


@runtime_checkable
class SessionStore(Protocol):
    """Keeps one mapping of values for each session id. An app has at most one store.

    A page gets it by asking for it: ``def page(st, client, store: SessionStore)``.
    """

    def get(self, session_id: str) -> dict[str, Any] | None:
        """Return a copy of what is kept for a session; None when there is nothing."""

    def set(
        self, session_id: str, data: Mapping[str, Any], *, ttl_seconds: float | None = None
    ) -> None:
        """Keep *data* for a session, instead of what was kept before.

        Args:
            session_id: The session.
            data: Its values.
            ttl_seconds: Seconds after which they may be forgotten; None for the store's default.
        """

    def delete(self, session_id: str) -> None:
        """Forget a session; one that is not known is no error."""

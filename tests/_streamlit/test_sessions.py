"""Sessions of tabs that have left, kept by the installed Streamlit's storage."""

from __future__ import annotations

import asyncio
import weakref
from types import SimpleNamespace
from typing import Any

from fluxlit._streamlit.sessions import PassingStorage

LATE = 10.0
"""Seconds after which a session that should be gone is called kept; it is kept for one."""


class Session:
    """As much of a session as the storage looks at."""

    def __init__(self, name: str) -> None:
        self.id = name


def kept(name: str, end: asyncio.Event) -> Any:
    """Make what is kept of a session; the event tells when nobody has it any more."""
    info = SimpleNamespace(session=Session(name))
    weakref.finalize(info.session, end.set)
    return info


def test_a_session_is_kept_for_its_time_and_then_let_go_without_another_visit() -> None:
    async def check() -> None:
        storage = PassingStorage(1)
        for name in ("ada", "bob"):  # the second one after a pause
            end = asyncio.Event()
            storage.save(kept(name, end))
            assert storage.get(name) is not None
            assert len(storage.list()) == 1
            await asyncio.wait_for(end.wait(), LATE)
            assert storage.get(name) is None

    asyncio.run(check())


def test_nothing_is_looked_for_while_nothing_is_kept() -> None:
    async def check() -> None:
        storage = PassingStorage(1)
        assert storage._next is None
        storage.save(kept("ada", asyncio.Event()))
        storage.delete("ada")
        await asyncio.sleep(0.2)
        assert storage._next is None

    asyncio.run(check())

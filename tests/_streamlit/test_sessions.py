"""Sessions of tabs that have left, kept by the installed Streamlit's storage."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

from fluxlit._streamlit.sessions import PassingStorage


class Session:
    """As much of a session as the storage looks at."""

    def __init__(self, name: str) -> None:
        self.id = name


def kept(name: str) -> Any:
    return SimpleNamespace(session=Session(name))


async def gone(seen: weakref.ref[Session], *, within: float) -> bool:
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while seen() is not None and loop.time() < until:
        await asyncio.sleep(0.01)
        gc.collect()
    return seen() is None


def test_a_session_is_kept_for_its_time_and_then_let_go_without_another_visit() -> None:
    async def check() -> None:
        storage = PassingStorage(1)
        info = kept("ada")
        seen = weakref.ref(info.session)
        storage.save(info)
        del info
        assert storage.get("ada") is not None
        assert not await gone(seen, within=0.5)
        assert len(storage.list()) == 1
        assert await gone(seen, within=5)
        again = kept("bob")  # after a pause, as before
        seen = weakref.ref(again.session)
        storage.save(again)
        del again
        assert await gone(seen, within=5)

    asyncio.run(check())


def test_nothing_is_looked_for_while_nothing_is_kept() -> None:
    async def check() -> None:
        storage = PassingStorage(1)
        assert storage._next is None
        storage.save(kept("ada"))
        storage.delete("ada")
        await asyncio.sleep(0.2)
        assert storage._next is None

    asyncio.run(check())

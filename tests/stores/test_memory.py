from __future__ import annotations

from threading import Thread

import pytest

from fluxlit.stores import InMemorySessionStore, SessionStore


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_is_a_store_and_keeps_copies() -> None:
    store = InMemorySessionStore()
    assert isinstance(store, SessionStore)
    given = {"x": 1}
    store.set("a", given)
    given["x"] = 2
    found = store.get("a")
    assert found == {"x": 1}
    found["x"] = 3
    assert store.get("a") == {"x": 1}
    store.delete("a")
    store.delete("a")
    assert store.get("a") is None


@pytest.mark.parametrize(
    ("default", "given", "kept_for"),
    [(10, None, 10), (10, 5, 5), (10, 0, None), (None, None, None), (0, None, None), (None, 5, 5)],
)
def test_how_long_something_is_kept(
    default: float | None, given: float | None, kept_for: float | None
) -> None:
    clock = Clock()
    store = InMemorySessionStore(default_ttl_seconds=default, clock=clock)
    store.set("a", {}, ttl_seconds=given)
    clock.now = 1e9 if kept_for is None else kept_for - 0.1
    assert store.get("a") == {}
    if kept_for is not None:
        clock.now = kept_for
        assert store.get("a") is None


def test_there_is_a_bound_and_what_is_over_goes_first() -> None:
    clock = Clock()
    store = InMemorySessionStore(max_entries=2, clock=clock)
    store.set("a", {})
    store.set("b", {}, ttl_seconds=1)
    clock.now = 2
    store.set("c", {})
    assert [store.get(name) for name in "abc"] == [{}, None, {}]
    store.set("d", {})
    assert [store.get(name) for name in "acd"] == [None, {}, {}]


class Intruder(Clock):
    """Lets another thread write when the store asks for the time, and notes whether it could."""

    def __init__(self) -> None:
        self.store: InMemorySessionStore | None = None
        self.threads: list[Thread] = []
        self.got_in: list[bool] = []

    def __call__(self) -> float:
        if self.store is not None:
            store, self.store = self.store, None
            thread = Thread(target=store.delete, args=("a",))
            thread.start()
            thread.join(0.2)
            self.got_in.append(not thread.is_alive())
            self.threads.append(thread)
        return 0.0


def test_a_thread_waits_for_another_one() -> None:
    clock = Intruder()
    store = InMemorySessionStore(max_entries=1, clock=clock)
    store.set("a", {"x": 1}, ttl_seconds=0)
    clock.store = store
    assert store.get("a") == {"x": 1}
    clock.threads[0].join(10)
    assert store.get("a") is None

    store.set("a", {}, ttl_seconds=0)
    clock.store = store
    store.set("b", {}, ttl_seconds=0)  # one too many: room is made
    clock.threads[1].join(10)
    assert store.get("b") == {}
    assert clock.got_in == [False, False]

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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


def test_many_threads_may_use_it() -> None:
    store = InMemorySessionStore(max_entries=20)

    def work(number: int) -> None:
        for turn in range(300):
            store.set(f"{number}-{turn % 30}", {"turn": turn})
            store.get(f"{(number + 1) % 8}-{turn % 30}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert sum(store.get(f"{n}-{t}") is not None for n in range(8) for t in range(30)) == 20

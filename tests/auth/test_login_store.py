from __future__ import annotations

from fluxlit.auth import InMemoryOIDCBFFTokenStore
from fluxlit.auth.login_store import MOST


def test_an_entry_can_be_taken_once_and_in_time() -> None:
    store = InMemoryOIDCBFFTokenStore(state_ttl_seconds=10, otc_ttl_seconds=5)
    store.save_pkce_verifier("s", "verifier", now=100)
    store.save_exchange_token("c", "token", now=100)
    assert store.pop_pkce_verifier("c", now=100) is None
    assert store.pop_pkce_verifier("s", now=109) == "verifier"
    assert store.pop_pkce_verifier("s", now=109) is None
    assert store.pop_exchange_token("c", now=105) is None
    store.save_exchange_token("c", "token", now=106)
    assert store.pop_exchange_token("c", now=110) == "token"
    assert store.pop_exchange_token("c", now=110) is None


def test_a_flood_ends_the_oldest_logins_and_fills_no_memory() -> None:
    store = InMemoryOIDCBFFTokenStore()
    for number in range(MOST + 5):
        store.save_pkce_verifier(f"{number}", "v", now=0)
    assert [store.pop_pkce_verifier(f"{number}", now=0) for number in (0, 4)] == [None, None]
    assert store.pop_pkce_verifier("5", now=0) == "v"
    assert store.pop_pkce_verifier(f"{MOST + 4}", now=0) == "v"


def test_what_it_keeps_is_not_shown() -> None:
    store = InMemoryOIDCBFFTokenStore()
    store.save_exchange_token("code", "token", now=0)
    assert repr(store) == (
        "InMemoryOIDCBFFTokenStore(state_ttl_seconds=600.0, otc_ttl_seconds=120.0)"
    )

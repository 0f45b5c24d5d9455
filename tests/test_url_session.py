from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fluxlit import (
    InMemorySessionStore,
    ensure_url_session,
    hydrate_url_session,
    hydrate_url_session_typed,
    new_session_id,
    persist_url_session,
)
from fluxlit.auth import bearer_headers_from_session


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TESTS", "DISABLE_URL_SESSION", "URL_SESSION_PARAM", "URL_SESSION_QUERY_PARAM"):
        monkeypatch.delenv(f"FLUXLIT_{name}", raising=False)


def browser(*session_ids: str, **state: Any) -> SimpleNamespace:
    """A tab whose address holds a session's id."""
    return SimpleNamespace(
        query_params={"fluxlit_sid": list(session_ids)} if session_ids else {}, session_state=state
    )


def test_ids_cannot_be_guessed() -> None:
    assert len({new_session_id() for _ in range(100)}) == 100
    assert {len(new_session_id()) for _ in range(100)} == {43}


def test_a_first_visit_gets_an_address_and_a_refresh_finds_the_state() -> None:
    store = InMemorySessionStore()
    st = browser()
    made = ensure_url_session(st, store, initial={"name": "Ada"})
    assert st.query_params == {"fluxlit_sid": made}
    st.session_state |= {"name": "Grace", "__hidden": 1, "$$INTERNAL": 2}
    assert persist_url_session(st, store) == made
    assert store.get(made) == {"name": "Grace"}

    refreshed = browser(made)
    assert ensure_url_session(refreshed, store) == made
    assert hydrate_url_session(refreshed, store) == made
    assert refreshed.session_state["name"] == "Grace"


def test_nobody_is_signed_in_by_the_address_of_somebody_elses_session() -> None:
    store = InMemorySessionStore()
    st = browser(name="Ada", fluxlit_access_token="hers", own_token="hers")
    bearer_headers_from_session(st, session_key="own_token")
    made = ensure_url_session(st, store)
    persist_url_session(st, store)
    assert store.get(made) == {"name": "Ada"}

    store.set(made, {"name": "Ada", "fluxlit_access_token": "hers", "own_token": "hers"})
    guest = browser(made)
    hydrate_url_session(guest, store)
    assert bearer_headers_from_session(guest) == {}
    assert bearer_headers_from_session(guest, session_key="own_token") == {}
    assert guest.session_state["name"] == "Ada"


def test_values_given_first_are_put_over_those_that_are_kept() -> None:
    store = InMemorySessionStore()
    store.set("known", {"a": 1, "b": 1})
    assert ensure_url_session(browser("known"), store, initial={"b": 2}) == "known"
    assert store.get("known") == {"a": 1, "b": 2}


@pytest.mark.parametrize("made_up", ["made-up", "x" * 500])
def test_nothing_is_written_under_an_id_that_a_link_made_up(made_up: str) -> None:
    store = InMemorySessionStore()
    st = browser(made_up, secret="mine")
    chosen = ensure_url_session(st, store)
    assert chosen != made_up
    assert st.query_params["fluxlit_sid"] == chosen

    other = browser(made_up, secret="mine")
    kept = persist_url_session(other, store)
    assert kept != made_up
    assert store.get(made_up) is None
    if kept is not None:  # an id of any length that anybody made has none
        assert store.get(kept) == {"secret": "mine"}


def test_a_session_that_has_expired_goes_on_under_a_new_id() -> None:
    store = InMemorySessionStore()
    st = browser()
    first = ensure_url_session(st, store)
    st.session_state["name"] = "Ada"
    store.delete(first)
    second = persist_url_session(st, store)
    assert second not in {None, first}
    assert st.query_params["fluxlit_sid"] == second
    assert store.get(str(second)) == {"name": "Ada"}


def test_a_change_of_page_takes_the_query_away_and_not_the_session() -> None:
    store = InMemorySessionStore()
    st = browser()
    made = ensure_url_session(st, store)
    st.query_params.clear()
    assert ensure_url_session(st, store) == made
    assert st.query_params == {"fluxlit_sid": made}


def test_what_is_there_is_kept_unless_it_is_to_be_replaced() -> None:
    store = InMemorySessionStore()
    store.set("known", {"a": 1, "b": 1})
    st = browser("known", a=5, c=5)
    assert hydrate_url_session(st, store) == "known"
    assert st.session_state == {"a": 5, "b": 1, "c": 5}
    hydrate_url_session(st, store, merge=False)
    assert st.session_state == {"a": 1, "b": 1, "c": 5}
    assert hydrate_url_session(browser(), store) is None
    assert hydrate_url_session(browser("unknown"), store) == "unknown"


class Cart(BaseModel):
    items: list[str]


def test_a_model_says_what_may_come_back() -> None:
    store = InMemorySessionStore()
    store.set("good", {"items": ["book"]})
    store.set("bad", {"items": 5})
    st = browser("good")
    assert hydrate_url_session_typed(st, store, Cart) == ("good", Cart(items=["book"]))
    assert st.session_state["items"] == ["book"]
    st = browser("bad")
    assert hydrate_url_session_typed(st, store, Cart) == ("bad", None)
    assert st.session_state == {}
    with pytest.raises(ValidationError):
        hydrate_url_session_typed(st, store, Cart, strict=True)
    assert hydrate_url_session_typed(browser("unknown"), store, Cart) == ("unknown", None)
    assert hydrate_url_session_typed(browser(), store, Cart) == (None, None)


@pytest.mark.parametrize(
    ("variables", "is_on"),
    [
        ({"FLUXLIT_DISABLE_URL_SESSION": "1"}, False),
        ({"FLUXLIT_TESTS": "yes"}, False),
        ({"FLUXLIT_TESTS": "1", "FLUXLIT_FORCE_URL_SESSION_IN_TESTS": "1"}, True),
        ({"FLUXLIT_FORCE_URL_SESSION_IN_TESTS": "1", "FLUXLIT_DISABLE_URL_SESSION": "1"}, False),
        ({"FLUXLIT_TESTS": "0"}, True),
    ],
)
def test_sessions_can_be_switched_off(
    variables: dict[str, str], is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = InMemorySessionStore()
    st = browser()
    assert bool(ensure_url_session(st, store)) is is_on
    assert bool(st.query_params) is is_on
    assert (persist_url_session(st, store) is not None) is is_on
    store.set("known", {"items": []})
    st = browser("known")
    assert (hydrate_url_session(st, store) is not None) is is_on
    assert (hydrate_url_session_typed(st, store, Cart) != (None, None)) is is_on
    assert bool(st.session_state) is is_on


def test_the_parameter_s_name_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemorySessionStore()

    def used(**said: str) -> str:
        st = browser()
        ensure_url_session(st, store, **said)  # type: ignore[arg-type]
        [name] = st.query_params
        return str(name)

    assert used() == "fluxlit_sid"
    monkeypatch.setenv("FLUXLIT_URL_SESSION_QUERY_PARAM", "desk")
    assert used() == "desk"
    assert used(param="own") == "own"


class Unreadable(dict[str, Any]):
    def __iter__(self) -> Any:
        raise RuntimeError


def test_state_that_cannot_be_read_leaves_the_store_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = InMemorySessionStore()
    store.set("known", {"a": 1})
    st = browser("known")
    st.session_state = Unreadable()
    assert persist_url_session(st, store) == "known"
    assert store.get("known") == {"a": 1}
    assert "nothing is kept" in caplog.text


def test_a_run_without_a_browser_still_gets_an_id() -> None:
    bare = SimpleNamespace(query_params=None, session_state={})
    assert len(ensure_url_session(bare, InMemorySessionStore())) == 43

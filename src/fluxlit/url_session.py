"""Sessions named in the page's address: state that survives a refresh, in a store of your choice.

Whoever has the address has the session, so the id is 256 random bits, and nothing is ever written
under an id that the store does not know: a link that somebody made up leads to a session of its
own. Link only to people who may see it, and keep what must not be shared behind a login.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from fluxlit import _env
from fluxlit._private_state import is_private
from fluxlit.config import load_settings
from fluxlit.deep_links import query_params
from fluxlit.stores import InMemorySessionStore, SessionStore

__all__ = [
    "InMemorySessionStore",
    "SessionStore",
    "ensure_url_session",
    "hydrate_url_session",
    "hydrate_url_session_typed",
    "new_session_id",
    "persist_url_session",
]

_LOG: Final = logging.getLogger("fluxlit.url_session")
_ID_BYTES: Final = 32
_LONGEST: Final = 128
"""Characters of an id that are looked up; ours have 43."""

_REMEMBERED: Final = "__fluxlit_url_session"
"""Where ``st.session_state`` keeps the id: a change of page takes the query string away."""

_OF_STREAMLIT: Final = ("__", "$$")
"""How keys begin that are not the page's own."""

ModelT = TypeVar("ModelT", bound=BaseModel)


def new_session_id() -> str:
    """Make an id: 256 random bits, 43 characters that an address takes as they are."""
    return secrets.token_urlsafe(_ID_BYTES)


def ensure_url_session(
    st: Any,
    store: SessionStore,
    *,
    param: str | None = None,
    initial: Mapping[str, Any] | None = None,
    ttl_seconds: float | None = None,
) -> str:
    """Return this session's id; where there is none, make one and put it into the address.

    Args:
        st: The ``streamlit`` module.
        store: Where the session is kept.
        param: The query parameter with the id; by default the setting ``url_session_query_param``.
        initial: Values to keep, over those that the store has.
        ttl_seconds: Seconds to keep them; None for the store's default.

    Returns:
        The id; an empty one where sessions are switched off and the address has none.

    Example:
        >>> @app.page("/")
        ... def home(st: Any, store: SessionStore) -> None:
        ...     ensure_url_session(st, store)
        ...     hydrate_url_session(st, store)
        ...     st.text_input("Name", key="name")
        ...     persist_url_session(st, store)
    """
    name = _parameter(param)
    known = _current(st, name) or ""
    if _is_off():
        return known
    found = store.get(known) if known else None
    if found is None:
        return _begin(st, store, name, initial or {}, ttl_seconds)
    if initial:
        store.set(known, {**found, **initial}, ttl_seconds=ttl_seconds)
    _show(st, name, known)
    return known


def hydrate_url_session(
    st: Any, store: SessionStore, *, param: str | None = None, merge: bool = True
) -> str | None:
    """Put what the store has into ``st.session_state``.

    Call it before the widgets whose keys it fills. The value of a button or of a form's submission
    cannot be set; leave such keys out of what you keep.

    Args:
        st: The ``streamlit`` module.
        store: Where the session is kept.
        param: As for :func:`ensure_url_session`.
        merge: Whether keys that are there already keep their values.

    Returns:
        The id in the address, also if the store does not know it; None if there is none.
    """
    known, data = _load(st, store, param)
    if data:
        _merge(st, data, merge=merge)
    return known


def hydrate_url_session_typed(
    st: Any,
    store: SessionStore,
    model: type[ModelT],
    *,
    param: str | None = None,
    merge: bool = True,
    strict: bool = False,
) -> tuple[str | None, ModelT | None]:
    """Put what the store has into ``st.session_state``, if it fits a model.

    Args:
        st: The ``streamlit`` module.
        store: Where the session is kept.
        model: What is expected of it.
        param: As for :func:`ensure_url_session`.
        merge: Whether keys that are there already keep their values.
        strict: Raise where it does not fit, instead of leaving ``st.session_state`` alone.

    Returns:
        The id in the address, and the model; each None where there is none.

    Raises:
        pydantic.ValidationError: It does not fit, and *strict* is on.
    """
    known, data = _load(st, store, param)
    if data is None:
        return known, None
    try:
        made = model.model_validate(data)
    except ValidationError:
        if strict:
            raise
        return known, None
    _merge(st, data, merge=merge)
    return known, made


def persist_url_session(
    st: Any,
    store: SessionStore,
    *,
    param: str | None = None,
    ttl_seconds: float | None = None,
) -> str | None:
    """Keep ``st.session_state`` in the store, instead of what was kept before.

    Call it at the end of a page. Keys that begin with two underscores are left out, and so is the
    token of somebody who has signed in.

    Args:
        st: The ``streamlit`` module.
        store: Where to keep it.
        param: As for :func:`ensure_url_session`.
        ttl_seconds: Seconds to keep it; None for the store's default.

    Returns:
        The id under which it is kept, which is a new one if the store did not know that of the
        address; None if there is none, or sessions are switched off.
    """
    name = _parameter(param)
    known = None if _is_off() else _current(st, name)
    if known is None:
        return None
    try:
        data = _snapshot(st)
    except Exception:  # noqa: BLE001 - whatever a stand-in or a lazy value raises
        is_asked = _env.is_truthy(os.environ.get(_env.DEBUG))
        _LOG.warning("the session's state cannot be read; nothing is kept", exc_info=is_asked)
        return known
    if store.get(known) is None:
        return _begin(st, store, name, data, ttl_seconds)
    store.set(known, data, ttl_seconds=ttl_seconds)
    return known


def _is_off() -> bool:
    """Tell whether the environment switches sessions off, as tests of pages do."""

    def says(name: str) -> bool:
        return _env.is_truthy(os.environ.get(name))

    in_tests = says(_env.TESTS) and not says(_env.FORCE_URL_SESSION_IN_TESTS)
    return says(_env.DISABLE_URL_SESSION) or in_tests


def _parameter(given: str | None) -> str:
    """Return the parameter's name: what was given, the served app's setting, or any setting."""
    return (
        given or os.environ.get(_env.URL_SESSION_PARAM) or load_settings().url_session_query_param
    )


def _current(st: Any, name: str) -> str | None:
    """Return the id in the address, else the one that the address had on the page before."""
    named = query_params(st).get(name, "").strip()
    if named and len(named) <= _LONGEST:
        return named
    remembered = _state(st).get(_REMEMBERED)
    return remembered if isinstance(remembered, str) else None


def _begin(
    st: Any, store: SessionStore, name: str, data: Mapping[str, Any], ttl_seconds: float | None
) -> str:
    made = new_session_id()
    store.set(made, dict(data), ttl_seconds=ttl_seconds)
    _show(st, name, made)
    return made


def _show(st: Any, name: str, session_id: str) -> None:
    """Put an id into the address, and remember it for when the address is changed."""
    try:
        if query_params(st).get(name) != session_id:
            st.query_params[name] = session_id
        st.session_state[_REMEMBERED] = session_id
    except Exception as exc:  # noqa: BLE001 - a run without a browser has no address to change
        _LOG.debug("the session's id cannot be put into the address: %s", type(exc).__name__)


def _load(
    st: Any, store: SessionStore, param: str | None
) -> tuple[str | None, Mapping[str, Any] | None]:
    known = None if _is_off() else _current(st, _parameter(param))
    return known, store.get(known) if known else None


def _merge(st: Any, data: Mapping[str, Any], *, merge: bool) -> None:
    for key, value in data.items():
        if _is_own(key) and (not merge or key not in st.session_state):
            st.session_state[key] = value


def _state(st: Any) -> Mapping[str, Any]:
    state = getattr(st, "session_state", None)
    return state if isinstance(state, Mapping) else {}


def _snapshot(st: Any) -> dict[str, Any]:
    state = st.session_state
    kept = getattr(state, "filtered_state", None)
    items = kept.items() if isinstance(kept, Mapping) else ((key, state[key]) for key in state)
    return {str(key): value for key, value in items if _is_own(str(key))}


def _is_own(key: str) -> bool:
    """Tell whether a key is the page's, and may be in a session that others can open."""
    return not key.startswith(_OF_STREAMLIT) and not is_private(key)

"""Giving a page function what it declares, by hand: for tests and for code that runs pages itself.

An app does this by itself for each run; see :mod:`fluxlit.pages.runner`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, Protocol

from fluxlit import _env
from fluxlit._paths import path_parameters
from fluxlit.client import ApiClient
from fluxlit.pages.markers import Cookie, Depends, Header
from fluxlit.pages.plan import Grounds, plan_of
from fluxlit.pages.records import PageRecord
from fluxlit.pages.run import Run, is_generator
from fluxlit.pages.runner import run_page
from fluxlit.pages.sources import UNPLANNED
from fluxlit.pages.visit import (
    reset_page_cookie_context,
    reset_page_header_context,
    set_page_cookie_context,
    set_page_header_context,
)

__all__ = [
    "Cookie",
    "Depends",
    "Header",
    "env_page_overrides",
    "reset_page_cookie_context",
    "reset_page_header_context",
    "resolve_and_call_page",
    "resolve_page_kwargs",
    "set_page_cookie_context",
    "set_page_header_context",
]


class Provider(Protocol):
    """What pages are given things by; an app is one."""

    @property
    def dependency_overrides(self) -> dict[Callable[..., Any], Callable[..., Any]]:
        """Dependencies and what is called in their place."""

    def provided(self) -> Mapping[type, object]:
        """Return what a page can get, by type."""


def env_page_overrides() -> dict[str, Any]:
    """Read ``FLUXLIT_TEST_PAGE_OVERRIDES``: values of parameters by name, as a JSON object."""
    try:
        said = json.loads(os.environ.get(_env.TEST_PAGE_OVERRIDES) or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def resolve_page_kwargs(
    fn: Callable[..., Any],
    *,
    st: Any,
    client: Any,
    app: Provider,
    overrides: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return the arguments that a page function would be called with.

    Dependencies that clean up behind themselves do so before this returns.

    Args:
        fn: The page function.
        st: The ``streamlit`` module, or a stand-in.
        client: What a parameter ``client`` gets.
        app: The app.
        overrides: Values by parameter name, which are given instead.

    Raises:
        PageSignatureError: A parameter cannot be given anything.
        PageInputError: The request lacks something that is declared.
    """
    with _run(st, client, app, overrides) as run:
        return plan_of(fn, Grounds(tuple(run.provided))).arguments(run)


def resolve_and_call_page(
    rec: object,
    st: Any,
    client: Any,
    app: Provider,
    overrides: Mapping[str, object] | None = None,
) -> Any:
    """Run one page as an app would, without its navigation and guards.

    Args:
        rec: The page.
        st: The ``streamlit`` module, or a stand-in.
        client: What a parameter ``client`` gets.
        app: The app.
        overrides: Values by parameter name, which are given instead.

    Returns:
        What the page function returned; of a generator, the last value.

    Raises:
        TypeError: *rec* is not a page's record.
    """
    if not isinstance(rec, PageRecord):
        msg = f"resolve_and_call_page needs a PageRecord, not {type(rec).__name__}"
        raise TypeError(msg)
    with _run(st, client, app, overrides) as run:
        if rec.plan is UNPLANNED:
            grounds = Grounds(tuple(run.provided), path=path_parameters(rec.path))
            rec = replace(rec, plan=plan_of(rec.fn, grounds), yields=is_generator(rec.fn))
        return run_page(rec, run)


def _run(st: Any, client: Any, app: Provider, overrides: Mapping[str, object] | None) -> Run:
    return Run(
        st,
        {**app.provided(), ModuleType: st, ApiClient: client},
        replaced=app.dependency_overrides,
        values={**env_page_overrides(), **(overrides or {})},
    )

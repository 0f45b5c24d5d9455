from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fluxlit.deep_links import match_nav_page, query_params

PAGES = [("/", "Home"), ("/users", "All users"), ("/a", "Twice"), ("/b", "Twice")]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("All users", "/users"),
        (" users ", "/users"),
        ("/users/", "/users"),
        ("home", "/"),
        ("/", "/"),
        ("Twice", "/a"),
    ],
)
def test_a_page_is_found_by_title_path_or_slug(wanted: str, path: str) -> None:
    found = match_nav_page({"page": wanted}, PAGES)
    assert found is not None
    assert found[0] == path


@pytest.mark.parametrize("params", [{}, {"page": ""}, {"page": "ALL USERS"}, {"other": "users"}])
def test_nothing_is_found(params: dict[str, str]) -> None:
    assert match_nav_page(params, PAGES) is None


def test_rows_of_every_kind_and_another_key() -> None:
    rows = [("/x", "X", print), SimpleNamespace(path="/y", title="Y")]
    assert match_nav_page({"p": "x"}, rows, page_key="p") == ("/x", "X")
    assert match_nav_page({"p": "Y"}, rows, page_key="p") == ("/y", "Y")


class Broken(dict[str, Any]):
    def keys(self) -> Any:
        raise RuntimeError


class Unreadable(dict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": "1", "b": ["2", "3"], "c": [], "d": None}, {"a": "1", "b": "2"}),
        (Broken(a="1"), {"a": "1"}),
        (Unreadable(a="1"), {}),
        (None, {}),
    ],
)
def test_the_first_value_of_each_parameter(given: Any, expected: dict[str, str]) -> None:
    assert query_params(SimpleNamespace(query_params=given)) == expected


def test_without_a_query_string_there_is_nothing() -> None:
    assert query_params(object()) == {}

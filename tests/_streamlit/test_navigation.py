"""The kept menu does what ``st.navigation`` does, in a real script run."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st  # noqa: PLC0415 - AppTest runs this text as a script
    from tests._streamlit.test_navigation import KEPT  # noqa: PLC0415

    from fluxlit._streamlit.navigation import Menu  # noqa: PLC0415

    def first() -> None:
        st.title("First")
        if st.button("Go"):
            st.switch_page(st.Page(second, url_path="second"))

    def second() -> None:
        st.title("Second")
        st.button("Again")

    if "menu" not in KEPT:
        pages = [st.Page(first, default=True), st.Page(second, url_path="second")]
        KEPT["menu"] = Menu({"A": pages[:1], "B": pages[1:]}, position="sidebar")
        KEPT["composed"] = 0
        compose = KEPT["menu"]._by_streamlit

        def counted() -> object:
            KEPT["composed"] += 1
            return compose()

        KEPT["menu"]._by_streamlit = counted
    KEPT["menu"]().run()


KEPT: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    KEPT.clear()


def test_pages_are_run_and_the_menu_is_composed_once() -> None:
    at = AppTest.from_function(script)
    assert [title.value for title in at.run().title] == ["First"]
    at.button[0].click().run()
    assert [title.value for title in at.title] == ["Second"]
    at.button[0].click().run()
    assert [title.value for title in at.title] == ["Second"]
    assert not at.exception
    assert KEPT["composed"] == 1


def test_another_session_shares_the_menu() -> None:
    AppTest.from_function(script).run()
    other = AppTest.from_function(script).run()
    assert [title.value for title in other.title] == ["First"]
    assert KEPT["composed"] == 1

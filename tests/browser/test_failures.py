"""What a visitor sees of errors in fragments and callbacks, which run beside a page's own run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text
from tests.support.site import Launch

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

APP = """
from typing import Any

from fluxlit import FluxLit
from fluxlit.exceptions import PageRefused

app = FluxLit(title="Desk")


def divide() -> float:
    return 1 / 0


def refuse() -> None:
    raise PageRefused("Not on Sundays.")


@app.page("/")
def home(st: Any) -> None:
    st.text("the page")
    st.button("Callback", on_click=divide)
    st.button("Refusal", on_click=refuse)

    @st.fragment
    def part() -> None:
        st.text("the fragment")
        if st.button("Fragment"):
            divide()

    part()
"""
FILES = {"app.py": APP}
LAUNCHES = {
    "production": Launch(files=FILES),
    "development": Launch(files=FILES, arguments=("dev",)),
}
DOORS = ("direct",)


@pytest.mark.parametrize("button", ["Callback", "Fragment"])
def test_a_fault_is_told_as_that_of_a_page(page: Page, site: Site, button: str) -> None:
    page.goto(site.page())
    see_text(page, "the fragment")
    page.get_by_role("button", name=button).click()
    if site.launch.arguments == ("dev",):
        trace = page.get_by_test_id("stException")
        expect(trace).to_contain_text("ZeroDivisionError")
        first = re.search(r'File "([^"]+)"', trace.inner_text())
        assert first
        assert first[1].endswith("app.py")
        return
    told = page.get_by_test_id("stAlert")
    expect(told).to_contain_text("Something went wrong on this page.")
    expect(told).to_contain_text(re.compile("Request id: [0-9a-f]{8}"))
    expect(page.get_by_text("ZeroDivisionError")).to_have_count(0)


def test_a_refusal_is_told_in_its_own_words(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_text(page, "the fragment")
    page.get_by_role("button", name="Refusal").click()
    expect(page.get_by_test_id("stAlert")).to_have_text("Not on Sundays.")

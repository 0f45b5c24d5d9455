"""The example of typed pages, as a visitor sees it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text, see_title, sidebar_link
from tests.support.site import Launch

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "examples/typed_pages"
LAUNCHES = {"": Launch(folders=(EXAMPLE,))}
DOORS = ("direct", "strip")


def alert(page: Page) -> str:
    """What the page says instead of its content."""
    shown = page.get_by_test_id("stAlert")
    expect(shown).to_have_count(1)
    return shown.inner_text()


def test_a_path_parameter_ends_on_an_address_that_reloads(page: Page, site: Site) -> None:
    page.goto(site.page("/users/2?tab=x"))
    see_title(page, "Grace")
    address = site.page("/users-by-user_id?user_id=2&tab=x")
    expect(page).to_have_url(address)
    expect(page).to_have_title("Grace · Desk")
    expect(page.get_by_text("Users / Grace")).to_be_visible()
    page.reload()
    see_title(page, "Grace")
    expect(page).to_have_url(address)


def test_a_typed_link_keeps_the_session(page: Page, site: Site) -> None:
    page.goto(site.page("/users/1"))
    page.get_by_role("button", name="Count").click()
    see_text(page, "count 1")
    sidebar_link(page, "Users").click()
    page.get_by_test_id("stPageLink").filter(has_text="Grace").click()
    see_title(page, "Grace")
    see_text(page, "count 1")
    expect(page).to_have_url(site.page("/users-by-user_id?user_id=2"))
    page.go_back()
    see_title(page, "Users")


def test_wrong_addresses_are_told_in_words(page: Page, site: Site) -> None:
    page.goto(site.page("/users/two"))
    see_alert = "the path parameter 'user_id' is wrong: input should be a valid integer"
    assert see_alert in alert(page)
    page.goto(site.page("/users/9"))
    assert alert(page) == "There is no user 9."
    page.goto(site.page("/orders?status=lost"))
    assert "the query parameter 'status.0' is wrong" in alert(page)


def test_a_query_model_filters(page: Page, site: Site) -> None:
    page.goto(site.page("/orders?status=open&status=late&min_total=50"))
    see_text(page, "order 10 open 120")
    see_text(page, "order 13 open 60")
    expect(page.get_by_test_id("stText")).to_have_count(2)


def test_a_deep_link_goes_to_the_page_with_its_parameters(page: Page, site: Site) -> None:
    page.goto(site.page("/?page=orders&status=paid"))
    see_text(page, "order 11 paid 80")
    expect(page).to_have_url(site.page("/orders?status=paid"))


def test_a_link_with_a_model(page: Page, site: Site) -> None:
    page.goto(site.page())
    page.get_by_test_id("stPageLink").filter(has_text="Late orders").click()
    see_text(page, "order 12 late 40")
    expect(page).to_have_url(site.page("/orders?status=late"))


def test_a_guarded_page_is_there_for_those_who_may_see_it(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_text(page, "You are a guest")
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(3)
    page.goto(site.page("/payroll"))
    assert alert(page) == "This page is for the payroll office."
    expect(page).to_have_title("Desk")
    expect(page.get_by_role("heading", name="Payroll")).to_have_count(0)
    page.context.add_cookies([{"name": "desk_role", "value": "payroll", "url": site.origin}])
    page.goto(site.page("/payroll"))
    see_title(page, "Payroll")
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(4)


def test_sections_stand_in_the_sidebar(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Desk")
    headings = page.get_by_test_id("stNavSectionHeader")
    expect(headings).to_contain_text(["People", "Money"])

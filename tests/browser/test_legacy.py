"""A Streamlit application that knows nothing of FluxLit, taken over unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import download, grid_size, see_text, see_title, sidebar_link, upload
from tests.support.site import Launch

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

APPS = Path(__file__).parent / "apps"
BARE_SCRIPT = Launch(folders=(APPS / "legacy",), arguments=("run", "dashboard.py"))
WITH_API = Launch(folders=(APPS / "legacy", APPS / "adopted"))
LAUNCHES = {"script": BARE_SCRIPT, "with-api": WITH_API}


def test_reads_its_own_configuration(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Warehouse")
    expect(page).to_have_title("Warehouse")
    see_text(page, "items 3")
    see_text(page, "upload limit 7")
    see_text(page, "theme #8a2be2")
    see_text(page, "secret read-from-secrets")


def test_serves_its_static_folder(page: Page, site: Site) -> None:
    page.goto(site.page())
    notice = page.get_by_role("link", name="notice")
    address = notice.evaluate("link => link.href")
    assert address == site.page("/app/static/notice.txt")
    assert page.request.get(address).text() == "Closed on Sundays.\n"


def test_shows_its_pictures(page: Page, site: Site) -> None:
    page.goto(site.page())
    picture = page.get_by_test_id("stImage").locator("img")
    expect(picture).to_have_js_property("naturalWidth", 16)


def test_leads_through_its_pages_folder(page: Page, site: Site) -> None:
    page.goto(site.page())
    page.get_by_role("link", name="See the orders").click()
    see_title(page, "Orders")
    see_text(page, "visits 1")
    expect(page).to_have_url(site.page("/Orders"))
    sidebar_link(page, "Stock").click()
    see_title(page, "Stock")
    assert grid_size(page)[0] == 3
    page.go_back()
    see_title(page, "Orders")
    see_text(page, "visits 2")


def test_a_page_can_be_opened_by_its_address(page: Page, site: Site) -> None:
    page.goto(site.page("/Orders"))
    see_title(page, "Orders")
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Amount").press("Enter")
    see_text(page, "total 35")
    page.reload()
    see_text(page, "total 14")


def test_files_go_both_ways(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("three bolts", encoding="utf-8")
    page.goto(site.page("/Stock"))
    see_title(page, "Stock")
    upload(page, tmp_path / "note.txt")
    see_text(page, "received 11")
    assert download(page, "Inventory") == ("inventory.txt", b"bolt\nnut\nwasher")


def test_its_api_is_there(page: Page, site: Site) -> None:
    if site.launch is WITH_API:
        answer = page.request.get(site.at("/api/opened"))
        assert (answer.json(), answer.headers["x-warehouse"]) == (True, "signed")
        assert page.request.get(site.at("/api/reports/daily")).json() == "nothing to report"
    else:
        assert page.request.get(site.at("/api/opened")).status == 404
        assert page.request.get(site.at("/api/openapi.json")).status == 200

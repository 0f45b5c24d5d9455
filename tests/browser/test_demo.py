"""The demo, as somebody who tries FluxLit for the first time walks through it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import download, see_title, sidebar_link, upload
from tests.support.site import Launch

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page
    from tests.support.site import Door, Site

pytestmark = pytest.mark.browser

LAUNCHES = {
    "": Launch(arguments=("demo",), environment={"FLUXLIT_DEMO_DB": "desk.sqlite3"}),
}
DOORS: tuple[Door, ...] = ("direct", "strip")  # one with a mount and one without

CSV = """\
opened_at,depot,kind,priority,cargo,summary
2026-03-02 06:40,Rotterdam,temperature,high,Seafood,{first}
2026-03-02 09:15,Rotterdam,customs,normal,Dairy,{second}
2026-03-02 09:20,Atlantis,customs,normal,Dairy,Nobody delivers there
"""


def incidents(page: Page, site: Site, **wanted: str) -> int:
    """Ask the API how many incidents match."""
    answer = page.request.get(site.at("/api/incidents"), params={**wanted, "page_size": "1"})
    total: int = answer.json()["total"]
    return total


def download_label(rows: int) -> str:
    return f"Download {rows:,} rows"


def test_the_overview_shows_figures_and_charts(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Operations desk")
    expect(page.get_by_test_id("stMetric")).to_have_count(5)
    charts = page.get_by_test_id("stVegaLiteChart").locator("canvas, svg.marks")
    expect(charts).to_have_count(5)
    widths = [chart.evaluate("chart => chart.clientWidth") for chart in charts.all()]
    assert min(widths) > 100


def test_the_table_filters(page: Page, site: Site) -> None:
    everything = incidents(page, site)
    late = incidents(page, site, breached="true")
    assert 0 < late < everything
    page.goto(site.page("/incidents"))
    expect(page.get_by_role("button", name=download_label(everything))).to_be_visible()
    page.get_by_test_id("stCheckbox").filter(has_text="Late only").click()
    expect(page.get_by_role("button", name=download_label(late))).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]late=true"))
    page.reload()  # the address keeps the filter
    expect(page.get_by_role("button", name=download_label(late))).to_be_visible()


def test_the_table_downloads(page: Page, site: Site) -> None:
    page.goto(site.page("/incidents?late=true"))
    rows = incidents(page, site, breached="true")
    name, content = download(page, download_label(rows))
    assert name == "incidents.csv"
    assert content == page.request.get(site.at("/api/incidents.csv?breached=true")).body()


def test_the_form_writes_through_the_api(page: Page, site: Site) -> None:
    summary = f"Pump P-7 leaks, seen at {site.origin}"
    page.goto(site.page())
    sidebar_link(page, "Report an incident").click()
    see_title(page, "Report an incident")
    page.get_by_label("Summary").fill(summary)
    page.get_by_role("button", name="Report", exact=False).last.click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("is with the")
    assert incidents(page, site, q=summary) == 1


def test_a_file_is_checked_and_imported(page: Page, site: Site, tmp_path: Path) -> None:
    summaries = [f"Imported {number} by {site.origin}" for number in ("first", "second")]
    file = tmp_path / "incidents.csv"
    file.write_text(CSV.format(first=summaries[0], second=summaries[1]), encoding="utf-8")
    page.goto(site.page("/import"))
    see_title(page, "Import a file")
    upload(page, file)
    expect(page.get_by_text("Dry run: 2 of 3 rows can be imported.")).to_be_visible()
    assert incidents(page, site, q=summaries[0]) == 0
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("Imported 2 incidents")).to_be_visible()
    assert [incidents(page, site, q=summary) for summary in summaries] == [1, 1]
    rejected = download(page, "Download the 1 rejected rows")[1].decode()
    assert "Atlantis" in rejected


def test_the_api_page_leads_to_its_documentation(page: Page, site: Site) -> None:
    page.goto(site.page("/system"))
    see_title(page, "API and health")
    expect(page.get_by_text("200 in")).to_have_count(3)
    link = page.get_by_role("link", name="API documentation")
    address = link.evaluate("link => link.href")
    assert address == site.at("/api/docs")
    assert "swagger" in page.request.get(address).text().lower()

"""Four UI workers behind two gateway workers, as a person in a browser meets them."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import download, see_text, upload
from tests.support.browser import fresh_page
from tests.support.site import Launch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from tests.support.site import Door, Site

pytestmark = pytest.mark.browser

LAUNCHES = {
    "": Launch(
        folders=(Path(__file__).parent / "apps/crew",),
        arguments=("run", "--workers", "2", "--ui-workers", "4"),
    )
}
DOORS: tuple[Door, ...] = ("direct", "strip")

VISITORS = 4


def pid_of(page: Page) -> int:
    """Which process the page says it is served by."""
    text = page.get_by_test_id("stText").filter(has_text=re.compile(r"^pid \d+$"))
    expect(text).to_be_visible()
    return int(text.inner_text().removeprefix("pid "))


def pin_of(page: Page) -> tuple[str, str, str]:
    """What the browser's cookie says: visitor, slot, generation; and where it is sent."""
    (cookie,) = (it for it in page.context.cookies() if it["name"].startswith("fluxlit_ui"))
    visitor, slot, generation, _ = cookie["value"].split(".")
    assert cookie["httpOnly"]
    return visitor, slot, generation


def use_files(page: Page, folder: Path) -> None:
    """Upload, show a picture and download: all by the process that runs the page."""
    pid = pid_of(page)
    see_text(page, f"files of {pid}")  # else the files that it offers may still be another's
    path = folder / f"{pid}.txt"
    path.write_text(f"for {pid}")
    upload(page, path)
    see_text(page, f"{pid}.txt for {pid} at {pid}")
    picture = page.get_by_test_id("stImage").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    assert download(page, "Fetch") == ("made.txt", f"made by {pid}".encode())


def test_every_visitor_has_one_worker_for_page_and_files(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    pids = set()
    for _ in range(VISITORS):
        with fresh_page(browser, site.origin) as (page, complaints):
            page.goto(site.page())
            pids.add(pid_of(page))
            see_text(page, "cookies []")
            use_files(page, tmp_path)
            assert complaints.messages == []
    assert len(pids) > 1


def test_all_tabs_of_a_browser_have_the_same_worker(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(site.page())
    other = page.context.new_page()
    other.goto(site.page())
    assert pid_of(other) == pid_of(page)
    use_files(other, tmp_path)
    use_files(page, tmp_path)


def test_the_cookie_goes_to_this_application_alone(page: Page, site: Site) -> None:
    page.goto(site.page())
    pin_of(page)
    (cookie,) = (it for it in page.context.cookies() if it["name"].startswith("fluxlit_ui"))
    assert cookie["path"] == (site.mount or "/")
    assert cookie["name"] == f"fluxlit_ui_{site.origin.rpartition(':')[2]}"
    assert cookie["sameSite"] == "Lax"


def test_an_open_tab_finds_another_worker_when_its_own_is_killed(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    with fresh_page(browser, site.origin) as (page, _):  # a lost connection is worth a complaint
        page.goto(site.page())
        use_files(page, tmp_path)  # so that nothing of the page is still on its way
        lost, before = pid_of(page), pin_of(page)
        with page.expect_websocket():  # the tab connects again without being touched
            os.kill(lost, signal.SIGKILL)
        expect(page.get_by_test_id("stConnectionStatus")).to_have_count(0)
        page.get_by_role("button", name="Again").click()
        see_text(page, "times 1")
        assert pid_of(page) != lost
        after = pin_of(page)
        assert after[0] == before[0]
        assert after[2] != before[2]
        use_files(page, tmp_path)

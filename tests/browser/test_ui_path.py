"""The API owns the root, the UI stands under a path of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import download, see_text, see_title, sidebar_link, upload
from tests.support.site import Launch

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser


LAUNCHES = {
    "": Launch(
        folders=(Path(__file__).parent / "apps/gallery",),
        environment={"FLUXLIT_UI_PATH": "/ui", "FLUXLIT_API_MOUNT_PATH": "/"},
        ready=("/readyz", "/ui/_stcore/health"),
        ui="/ui",
    )
}


def test_the_api_answers_at_the_root(page: Page, site: Site) -> None:
    headers = {"X-Request-ID": "seen-by-all-0002"}
    answer = page.request.get(site.at("/request-id"), headers=headers)
    assert answer.json() == {"id": "seen-by-all-0002"}
    assert page.request.get(site.at("/no-such-thing")).status == 404


def test_the_ui_works_under_its_path(page: Page, site: Site) -> None:
    page.goto(site.page())
    page.get_by_role("button", name="Count").click()
    see_text(page, "count 1")
    sidebar_link(page, "Ids").click()
    see_title(page, "Ids")
    expect(page).to_have_url(site.page("/ids"))
    page.reload()
    see_title(page, "Ids")
    of_page, of_api = page.get_by_test_id("stText").all_inner_texts()
    assert of_api == of_page.replace("page", "api")


def test_files_go_both_ways(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_bytes(b"small")
    page.goto(site.page("/files"))
    see_title(page, "Files")
    upload(page, tmp_path / "small.txt")
    expect(page.get_by_text("small.txt 5 ")).to_be_visible()
    assert download(page, "Fetch")[1] == bytes(range(256)) * 4096

"""Pages of every kind: widgets, big content, files, several pages, identifiers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import (
    download,
    grid_size,
    see_text,
    see_title,
    sha256,
    sidebar_link,
    upload,
)
from tests.support.site import BOTH_WAYS, Launch
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

LAUNCHES = {"": Launch(folders=(Path(__file__).parent / "apps/gallery",))}
DOORS = BOTH_WAYS

FIVE_MB = 5 * 1024 * 1024
FIFTY_MB = 50 * 1024 * 1024
COUNT_BYTES = "element => new TextEncoder().encode(element.textContent).length"


def test_widgets_rerun_the_page(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_text(page, "level 3")
    page.get_by_role("slider").press("ArrowRight")
    see_text(page, "level 4")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Name").press("Enter")
    see_text(page, "name Ada")
    for count in (1, 2):
        page.get_by_role("button", name="Count").click()
        see_text(page, f"count {count}")
    see_text(page, "level 4")


def test_shows_a_data_frame_of_ten_megabytes(page: Page, site: Site) -> None:
    page.goto(site.page("/frame"))
    see_text(page, "10400000 bytes")
    assert grid_size(page) == (130_000, 10)


def test_shows_a_text_of_fifty_megabytes(page: Page, site: Site) -> None:
    page.goto(site.page("/text"))
    expect(page.get_by_test_id("stText")).to_have_text("end of text", timeout=60_000)
    shown = page.get_by_test_id("stCode").locator("code")
    assert shown.evaluate(COUNT_BYTES, timeout=60_000) >= FIFTY_MB


def test_receives_a_file(page: Page, site: Site, tmp_path: Path) -> None:
    content = bytes(range(256)) * (FIVE_MB // 256)
    (tmp_path / "données.bin").write_bytes(content)
    page.goto(site.page("/files"))
    see_title(page, "Files")
    upload(page, tmp_path / "données.bin")
    see_text(page, f"données.bin {FIVE_MB} {sha256(content)}")


def test_hands_out_a_file(page: Page, site: Site) -> None:
    page.goto(site.page("/files"))
    assert download(page, "Fetch") == ("pattern.bin", bytes(range(256)) * 4096)


def test_leads_from_page_to_page(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Widgets")
    sidebar_link(page, "Files").click()
    see_title(page, "Files")
    expect(page).to_have_url(site.page("/files"))
    sidebar_link(page, "Ids").click()
    see_title(page, "Ids")
    page.reload()
    see_title(page, "Ids")
    expect(page).to_have_url(site.page("/ids"))
    page.go_back()
    see_title(page, "Files")
    expect(page).to_have_url(site.page("/files"))


def test_page_and_api_share_the_request_id(page: Page, site: Site) -> None:
    page.goto(site.page("/ids"))
    texts = page.get_by_test_id("stText")
    expect(texts).to_have_count(2)
    of_page, of_api = texts.all_inner_texts()
    assert re.fullmatch(r"page \S{8,}", of_page)
    assert of_api == of_page.replace("page", "api")


def test_a_given_request_id_comes_back(page: Page, site: Site) -> None:
    headers = {"X-Request-ID": "seen-by-all-0001"}
    answer = page.request.get(site.at("/api/request-id"), headers=headers)
    assert answer.json() == {"id": "seen-by-all-0001"}
    assert answer.headers["x-request-id"] == "seen-by-all-0001"


def test_refuses_the_websocket_of_another_site(site: Site) -> None:
    stream = site.page("/_stcore/stream").replace("http://", "ws://")
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(stream, origin=Origin("http://evil.example"), proxy=None),
    ):
        pass
    assert refusal.value.response.status_code == 403


def test_admits_the_websocket_of_its_own_site(site: Site) -> None:
    stream = site.page("/_stcore/stream").replace("http://", "ws://")
    protocol = Subprotocol("streamlit")
    with connect(stream, origin=Origin(site.origin), subprotocols=[protocol], proxy=None) as socket:
        assert socket.subprotocol == protocol

"""What a person does in a Streamlit page, in words that the tests share."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page


def see_title(page: Page, title: str) -> None:
    """Wait until the page shows this heading."""
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def see_text(page: Page, text: str) -> None:
    """Wait until an ``st.text`` element shows exactly this."""
    expect(page.get_by_test_id("stText").get_by_text(text, exact=True)).to_be_visible()


def sidebar_link(page: Page, name: str) -> Locator:
    """A page's entry in the sidebar."""
    return page.get_by_test_id("stSidebarNavLink").filter(has_text=name)


def grid_size(page: Page) -> tuple[int, int]:
    """Rows and columns of the data frame on the page, its header and index left out.

    The grid is painted on a canvas; the table that it keeps for screen readers tells its size.
    """
    table = page.get_by_test_id("stDataFrame").locator("canvas table[role=grid]")
    expect(table).to_have_attribute("aria-rowcount", re.compile(r"\d+"))
    rows, columns = (table.get_attribute(f"aria-{of}count") for of in ("row", "col"))
    return int(rows or 0) - 1, int(columns or 0) - 1


def upload(page: Page, path: Path) -> None:
    """Choose a file in the page's file uploader."""
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(path)


def download(page: Page, label: str) -> tuple[str, bytes]:
    """Press a download button; returns the file's name and content."""
    with page.expect_download() as started:
        page.get_by_role("button", name=label).click()
    return started.value.suggested_filename, started.value.path().read_bytes()


def sha256(content: bytes) -> str:
    """The hash as the gallery's page prints it."""
    return hashlib.sha256(content).hexdigest()

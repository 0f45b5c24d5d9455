"""The process of an open page dies: the page shows its successor's work without being touched."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text, sidebar_link
from tests.runtime.harness import workers
from tests.support.browser import fresh_page
from tests.support.service import running

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

APP = """
import os
from typing import Annotated, Any
from fluxlit import FluxLit, Query

app = FluxLit(title="Recovery")
RUNS = {}

def show(st: Any, name: str) -> None:
    key = name, st.text_input("Name"), st.slider("Size", 0, 9)
    RUNS[key] = RUNS.get(key, 0) + 1
    st.text(f"{name} {key[1]} {key[2]} in {os.getpid()}")
    st.text(f"runs of it {RUNS[key]}")

@app.page("/", title="Home")
def home(st: Any) -> None:
    show(st, "home")

@app.page("/other", title="Other")
def other(st: Any, x: Annotated[int, Query()] = 0) -> None:
    show(st, f"other {x}")
"""


def pid_of(page: Page, shown: str) -> int:
    """Which process says this on the page."""
    text = page.get_by_test_id("stText").filter(has_text=re.compile(rf"^{shown} in \d+$"))
    expect(text).to_be_visible()
    return int(text.inner_text().rpartition(" ")[2])


def fill_in(page: Page, shown: str) -> int:
    """Give each widget a value of one's own; return the process that shows them."""
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text(re.compile(rf"^{shown} Ada 0 in"))).to_be_visible()
    page.get_by_role("slider").press("ArrowRight")
    return pid_of(page, f"{shown} Ada 1")


def see_successor(page: Page, shown: str, lost: int) -> int:
    """Wait until another process shows the same, in one run; return it."""
    gone = page.get_by_test_id("stText").filter(has_text=re.compile(rf" in {lost}$"))
    expect(gone).to_have_count(0)
    pid = pid_of(page, shown)
    expect(page.get_by_label("Name")).to_have_value("Ada")
    see_text(page, "runs of it 1")
    return pid


@pytest.mark.parametrize("workers", [1, 2])
def test_an_open_page_recovers_with_what_was_typed(
    browser: Browser, tmp_path: Path, workers: int
) -> None:
    (tmp_path / "app.py").write_text(APP)
    with (
        running("run", "--ui-workers", str(workers), directory=tmp_path) as service,
        fresh_page(browser, service.origin) as (page, _),
    ):
        page.goto(service.origin)
        lost = fill_in(page, "home")
        os.kill(lost, signal.SIGKILL)
        lost = see_successor(page, "home Ada 1", lost)
        sidebar_link(page, "Other").click()
        see_text(page, f"other 0  0 in {lost}")
        page.goto(f"{service.origin}/other?x=1")
        lost = fill_in(page, "other 1")
        os.kill(lost, signal.SIGKILL)
        see_successor(page, "other 1 Ada 1", lost)
        assert page.url == f"{service.origin}/other?x=1"


def test_a_session_that_only_lost_its_gateway_goes_on_and_nothing_runs(
    browser: Browser, tmp_path: Path
) -> None:
    """Relayed, the page loses its connection with the gateway; its process and session live."""
    (tmp_path / "app.py").write_text(APP)
    relayed = {"FLUXLIT_UI_HANDOFF": "0"}
    with (
        running("run", directory=tmp_path, environment=relayed) as service,
        fresh_page(browser, service.origin) as (page, _),
    ):
        page.goto(service.origin)
        pid = fill_in(page, "home")
        see_text(page, "runs of it 1")
        with page.expect_websocket():  # the tab connects again without being touched
            workers(service)["gateway"].kill()
        expect(page.get_by_test_id("stConnectionStatus")).to_have_count(0)
        page.get_by_role("slider").press("ArrowRight")
        assert pid_of(page, "home Ada 2") == pid
        page.get_by_role("slider").press("ArrowLeft")
        assert pid_of(page, "home Ada 1") == pid
        see_text(page, "runs of it 2")

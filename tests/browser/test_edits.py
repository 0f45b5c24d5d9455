"""Development: what is edited shows in open pages and in the API, and nobody starts anything."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text, see_title
from tests.browser.test_gateway_killed import Connections
from tests.runtime.harness import ask, until, workers
from tests.support.browser import fresh_page
from tests.support.service import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from tests.support.service import Service

pytestmark = pytest.mark.browser

APP = """
from pathlib import Path
from typing import Any
from fluxlit import FluxLit
from fluxlit.client import ApiClient
from parts.texts import GREETING

app = FluxLit(title="Edited")
NOTE = Path(__file__).with_name("note.html").read_text()

@app.api.get("/said")
def said() -> list[str]:
    return ["api 1", GREETING, NOTE]

@app.page("/")
def home(st: Any, client: ApiClient) -> None:
    st.title("Edited")
    if st.button("Count"):
        st.session_state["count"] = st.session_state.get("count", 0) + 1
    st.text(f"count {st.session_state.get('count', 0)}")
    st.text("page 1")
    st.text(GREETING)
    st.text(NOTE)
    st.text(f"level {app.settings.log_level}")

@app.page("/orders")
def orders(st: Any) -> None:
    st.title("Orders")
"""

SCRIPT = """
import streamlit as st
from helper import WORD

st.title("Script")
st.session_state.setdefault("runs", 0)
if st.button("Count"):
    st.session_state.runs += 1
st.text(f"{WORD} {st.session_state.runs}")
"""


class Project:
    """The files of an app, as an editor writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "parts").mkdir()
        self.write("app.py", APP)
        self.write("parts/texts.py", 'GREETING = "hello"\n')
        self.write("note.html", "note 1")

    def write(self, name: str, text: str) -> None:
        """Save a file the way that many editors do: beside, then over it."""
        beside = self.folder / f"{name}.tmp"
        beside.write_text(text)
        beside.replace(self.folder / name)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a file."""
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))


@contextmanager
def development(folder: Path) -> Iterator[tuple[Project, Service]]:
    project = Project(folder)
    with running("dev", directory=folder) as service:
        yield project, service


def count_to_one(page: Page, service: Service) -> None:
    page.goto(service.origin)
    see_title(page, "Edited")
    page.get_by_role("button", name="Count").click()
    see_text(page, "count 1")


def see_mistake(page: Page, what: str, where: str) -> None:
    expect(page.get_by_test_id("stAlert")).to_contain_text(what)
    expect(page.get_by_test_id("stCode")).to_contain_text(where)


def test_open_pages_show_edits_and_keep_their_state(browser: Browser, tmp_path: Path) -> None:
    with (
        development(tmp_path) as (project, service),
        fresh_page(browser, service.origin) as (page, complaints),
        fresh_page(browser, service.origin) as (other, _),
    ):
        connections = Connections(page)
        count_to_one(page, service)
        other.goto(service.origin)
        see_text(other, "page 1")
        ui = workers(service)["ui"].pid
        for name, old, new in (
            ("app.py", "page 1", "page 2"),
            ("parts/texts.py", "hello", "howdy"),
            ("note.html", "note 1", "note 2"),
            ("app.py", "page 2", "page 3"),
        ):
            project.edit(name, old, new)
            see_text(page, new)
            see_text(other, new)
            see_text(page, "count 1")
        project.edit("app.py", '"api 1"', '"api 2"')
        until(lambda: ask(service, "/api/said") == ["api 2", "howdy", "note 2"])
        page.get_by_role("button", name="Count").click()
        see_text(page, "count 2")
        see_text(other, "count 0")
        assert workers(service)["ui"].pid == ui
        assert (connections.opened, connections.ended) == (1, 0)
        assert complaints.messages == []


def test_a_mistake_shows_everywhere_and_heals(browser: Browser, tmp_path: Path) -> None:
    with (
        development(tmp_path) as (project, service),
        fresh_page(browser, service.origin) as (page, _),
        fresh_page(browser, service.origin) as (late, _),
    ):
        count_to_one(page, service)
        project.edit("app.py", 'st.text("page 1")', 'st.text("page 1"')
        see_mistake(page, "SyntaxError: '(' was never closed (app.py, line", 'st.text("page 1"')
        late.goto(f"{service.origin}/orders")
        see_mistake(late, "SyntaxError: '(' was never closed (app.py, line", 'st.text("page 1"')
        service.wait_until_said("the old code serves on")
        assert "SyntaxError: '(' was never closed (app.py, line" in service.output()
        assert ask(service, "/api/said") == ["api 1", "hello", "note 1"]
        project.edit("app.py", 'st.text("page 1"', 'st.text("page 2")')
        see_text(page, "page 2")
        see_text(page, "count 1")
        see_title(late, "Orders")
        assert late.url == f"{service.origin}/orders"
        for tab in (page, late):
            expect(tab.get_by_test_id("stAlert")).to_have_count(0)

        project.edit("app.py", "import GREETING", "import GREETING\nfrom parts.more import MORE")
        see_mistake(page, "No module named 'parts.more'", "from parts.more import MORE")
        project.write("parts/more.py", "MORE = 1\n")
        see_text(page, "page 2")


def test_new_settings_bring_the_page_back_by_itself(browser: Browser, tmp_path: Path) -> None:
    with (
        development(tmp_path) as (project, service),
        fresh_page(browser, service.origin) as (page, _),
    ):
        count_to_one(page, service)
        see_text(page, "level info")
        project.write("fluxlit.toml", 'log_level = "warning"\n')
        see_text(page, "level warning")
        page.get_by_role("button", name="Count").click()
        see_text(page, "count 1")


def test_a_streamlit_script_and_its_modules_follow_edits(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "dashboard.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text('WORD = "one"')
    with (
        running("dev", "dashboard.py", directory=tmp_path) as service,
        fresh_page(browser, service.origin) as (page, complaints),
    ):
        page.goto(service.origin)
        see_text(page, "one 0")
        page.get_by_role("button", name="Count").click()
        see_text(page, "one 1")
        (tmp_path / "helper.py").write_text('WORD = "two"')
        see_text(page, "two 1")
        (tmp_path / "dashboard.py").write_text(SCRIPT.replace("{WORD} ", "{WORD}, "))
        see_text(page, "two, 1")
        (tmp_path / "dashboard.py").write_text(SCRIPT.replace("import streamlit", "import"))
        expect(page.get_by_role("dialog")).to_contain_text("SyntaxError: invalid syntax")
        (tmp_path / "dashboard.py").write_text(SCRIPT)
        see_text(page, "two 1")
        assert complaints.messages == []

"""The first thing a new user does: paste one file into an empty directory and run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_title
from tests.support.site import BOTH_WAYS, Launch
from tests.support.traffic import ICON_FONT, Traffic

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

QUICK_START = """\
from typing import Any
from fluxlit import FluxLit
from fluxlit.client import ApiClient

app = FluxLit(title="Admin Portal")

@app.api.get("/users")
def users():
    return [{"name": "Ada"}]

@app.page("/")
def home(st: Any, client: ApiClient) -> None:
    st.title("Dashboard")
    st.write(client.get("/users").json())
"""


README = Path(__file__).parents[2] / "README.md"
LAUNCHES = {"": Launch(files={"app.py": QUICK_START})}
DOORS = BOTH_WAYS


def test_is_what_the_readme_shows() -> None:
    assert QUICK_START in README.read_text(encoding="utf-8")


def test_shows_what_the_api_said(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Dashboard")
    expect(page.get_by_test_id("stJson")).to_contain_text("Ada")
    expect(page).to_have_title("Admin Portal")


def test_the_api_answers_on_the_same_port(page: Page, site: Site) -> None:
    answer = page.request.get(site.at("/api/users"))
    assert (answer.status, answer.json()) == (200, [{"name": "Ada"}])


def test_the_api_documents_itself(page: Page, site: Site) -> None:
    paths = page.request.get(site.at("/api/openapi.json")).json()["paths"]
    assert "/users" in paths
    # The page's scripts come from a public host; its first answer tells where its data is.
    docs = page.request.get(site.at("/api/docs")).text()
    assert json.dumps(f"{site.mount}/api/openapi.json").strip('"') in docs


@pytest.mark.parametrize("path", ["/api/healthz", "/api/readyz"])
def test_tells_that_it_is_well(page: Page, site: Site, path: str) -> None:
    assert page.request.get(site.at(path)).status == 200


def test_survives_a_reload(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Dashboard")
    page.reload()
    see_title(page, "Dashboard")
    expect(page.get_by_test_id("stJson")).to_contain_text("Ada")


def test_a_first_visit_takes_a_third_of_the_bytes(page: Page, site: Site) -> None:
    """The files as they are is what `streamlit run` sends; fonts are as small as they get."""
    traffic = Traffic(page)
    page.goto(site.page())
    see_title(page, "Dashboard")
    assert traffic.content > 1_900_000
    assert traffic.wire / traffic.content < 0.33


def test_the_font_for_icons_comes_after_the_content(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Dashboard")
    assert page.evaluate(ICON_FONT) == "unloaded"
    page.wait_for_function(f"{ICON_FONT} === 'loaded'", timeout=10_000)

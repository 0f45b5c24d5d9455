"""What a first visit costs and tells, and what a content security policy stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browser.steps import see_title
from tests.support.browser import fresh_page
from tests.support.site import Launch
from tests.support.traffic import ICON_FONT, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from tests.support.site import Site

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
)
APP = '''
from fluxlit import FluxLit

app = FluxLit(title="Desk")

@app.page("/")
def home(st):
    """Everything at a glance."""
    st.title("Desk")

@app.page("/charts", title="Charts & more", icon="📈")
def charts(st):
    """What <b>happened</b>."""
    st.title("Charts")
    st.line_chart({"a": [1, 3, 2]})
    st.dataframe({"a": [1, 2, 3]})

@app.page("/icons")
def icons(st):
    st.title("Icons")
    st.button("Go", icon=":material/bolt:")
'''
LAUNCHES = {
    "": Launch(
        files={"app.py": APP},
        environment={
            "FLUXLIT_UI_CONTENT_SECURITY_POLICY": POLICY,
            "FLUXLIT_UI_HEAD_HTML": "<script>window.fragment = 'ran'</script>",
            "FLUXLIT_PUBLIC_BASE_URL": "https://desk.example",
        },
    )
}


def test_an_icon_that_is_shown_brings_its_font_at_once(page: Page, site: Site) -> None:
    page.goto(site.page("/icons"))
    see_title(page, "Icons")
    page.get_by_role("button", name="Go").get_by_test_id("stIconMaterial").wait_for()
    assert page.evaluate(ICON_FONT) in {"loading", "loaded"}


def test_a_second_visit_takes_next_to_nothing(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Desk")
    page.wait_for_function(f"() => {ICON_FONT} === 'loaded'")  # it comes after the content
    traffic = Traffic(page)
    page.reload()
    see_title(page, "Desk")
    assert traffic.wire < 40_000


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """A browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_reader_without_scripts_learns_what_the_page_is(reader: Page, site: Site) -> None:
    reader.goto(site.page("/charts"))
    assert reader.title() == "Charts & more · Desk"
    assert reader.locator("noscript h1").inner_text() == "Charts & more · Desk"
    assert reader.locator("noscript p").first.inner_text() == "What <b>happened</b>."
    address = reader.locator("link[rel=canonical]").get_attribute("href")
    assert address == f"https://desk.example{site.mount}/charts"
    icon = reader.locator("link[rel='shortcut icon']").get_attribute("href")
    assert (icon or "").startswith("data:image/svg+xml,")


def test_pages_work_under_a_policy(page: Page, site: Site) -> None:
    """A violation is an error on the console, which fails the test."""
    page.goto(site.page("/charts"))
    see_title(page, "Charts")
    page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first.wait_for()
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    assert page.evaluate("window.fragment") == "ran"


def test_the_policy_stops_a_script_that_somebody_brought_in(browser: Browser, site: Site) -> None:
    with fresh_page(browser, site.origin) as (page, complaints):
        page.goto(site.page())
        see_title(page, "Desk")
        page.evaluate(
            "() => { const brought = document.createElement('script');"
            " brought.textContent = 'window.brought = true'; document.body.append(brought); }"
        )
        assert page.evaluate("window.brought") is None
        assert ["inline script violates" in message for message in complaints.messages] == [True]


def test_each_answer_has_a_nonce_of_its_own(page: Page, site: Site) -> None:
    headers = [page.request.get(site.page()).headers for _ in range(2)]
    policies = {each["content-security-policy"] for each in headers}
    assert len(policies) == 2
    assert not any("{nonce}" in policy for policy in policies)

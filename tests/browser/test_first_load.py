"""What a first visit costs and tells, and what a content security policy stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.steps import see_title
from tests.support.browser import fresh_page
from tests.support.site import Launch

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


class Traffic:
    """Bytes that a page's files took on the wire, and bytes that they are; fonts left out.

    Fonts are compressed as they are, and which of them a page needs is the page's affair.
    """

    def __init__(self, page: Page) -> None:
        self.wire = self.content = 0.0
        self._fonts: set[str] = set()
        tools = page.context.new_cdp_session(page)
        tools.send("Network.enable")
        tools.on("Network.responseReceived", self._answered)
        tools.on("Network.loadingFinished", self._finished)
        tools.on("Network.dataReceived", self._received)

    def _answered(self, event: dict[str, Any]) -> None:
        if event["type"] == "Font":
            self._fonts.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._fonts:
            self.wire += event["encodedDataLength"]

    def _received(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._fonts:
            self.content += event["dataLength"]


def test_a_first_visit_takes_a_quarter_of_the_bytes(page: Page, site: Site) -> None:
    """The files as they are is what `streamlit run` sends."""
    traffic = Traffic(page)
    page.goto(site.page())
    see_title(page, "Desk")
    assert traffic.content > 2_000_000
    assert traffic.wire / traffic.content < 0.25


def test_a_second_visit_takes_next_to_nothing(page: Page, site: Site) -> None:
    page.goto(site.page())
    see_title(page, "Desk")
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

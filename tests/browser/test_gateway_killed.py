"""The gateway dies under an open page: the page's connection is the UI worker's, and lives on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.steps import see_text, see_title
from tests.runtime.harness import get, workers
from tests.support.browser import fresh_page
from tests.support.service import running

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, WebSocket
    from tests.support.service import Service

pytestmark = pytest.mark.browser

APP = """
import time
from typing import Any
from fluxlit import FluxLit
from fluxlit.client import ApiClient

app = FluxLit(title="Counter")

@app.api.get("/hello")
def hello() -> str:
    return "hello"

@app.page("/")
def home(st: Any, client: ApiClient) -> None:
    st.title("Counter")
    if st.button("Count"):
        st.session_state["count"] = st.session_state.get("count", 0) + 1
    st.text(f"count {st.session_state.get('count', 0)}")
    st.text(f"api {client.get('/hello').json()}")
    if st.button("Work"):
        place = st.empty()
        for step in range(1, 61):
            place.text(f"step {step}")
            time.sleep(0.1)
"""


class Connections:
    """The WebSockets that a page opens, and those of them that end."""

    def __init__(self, page: Page) -> None:
        self.opened = 0
        self.ended = 0
        page.on("websocket", self._open)

    def _open(self, socket: WebSocket) -> None:
        self.opened += 1
        socket.on("close", self._end)

    def _end(self, _: WebSocket) -> None:
        self.ended += 1


def test_a_running_page_goes_on_while_the_gateway_is_killed_and_replaced(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    with (
        running("run", directory=tmp_path) as service,
        fresh_page(browser, service.origin) as (page, _),
    ):
        connections = Connections(page)
        page.goto(service.origin)
        see_title(page, "Counter")
        page.get_by_role("button", name="Count").click()
        see_text(page, "count 1")
        page.get_by_role("button", name="Work").click()
        expect(page.get_by_text(re.compile(r"^step \d+$"))).to_be_visible()
        kill_gateway(service)
        assert page.get_by_text("step 60", exact=True).count() == 0
        see_text(page, "step 60")
        page.get_by_role("button", name="Count").click()
        see_text(page, "count 2")
        expect(page.get_by_text("api hello")).to_be_visible()
        assert (connections.opened, connections.ended) == (1, 0)


def kill_gateway(service: Service) -> None:
    """Kill the gateway worker; the next connection waits for its successor, and is not refused."""
    gateway = workers(service)["gateway"]
    gateway.kill()
    gateway.wait(10)
    assert get(service, "/api/hello") == (200, '"hello"')
    assert workers(service)["gateway"].pid != gateway.pid

"""A download button is pressed while the page that shows it still runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browser.steps import download, see_text
from tests.support.browser import fresh_page
from tests.support.service import running

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

APP = """
import time
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Slow")

@app.page("/", title="Home")
def home(st: Any) -> None:
    if st.button("Again"):
        st.session_state["times"] = st.session_state.get("times", 0) + 1
    st.text(f"times {st.session_state.get('times', 0)}")
    time.sleep(0.5)
    st.text("so far")
    st.download_button("Fetch", "made before", file_name="made.txt")
    st.text("done")
"""


def test_a_file_that_the_page_still_offers_can_be_had(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with (
        running("run", directory=tmp_path) as service,
        fresh_page(browser, service.origin) as (page, complaints),
    ):
        page.goto(service.origin)
        see_text(page, "done")
        for times in range(1, 6):  # each stops the run before it, short of the button
            page.get_by_role("button", name="Again").click()
            see_text(page, f"times {times}")
            assert download(page, "Fetch") == ("made.txt", b"made before")
        assert complaints.messages == []

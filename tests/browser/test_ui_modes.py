"""What pages do, wherever the UI runs: in the gateway's process, at a port, on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.test_gallery import (
    test_admits_the_websocket_of_its_own_site,
    test_hands_out_a_file,
    test_leads_from_page_to_page,
    test_page_and_api_share_the_request_id,
    test_receives_a_file,
    test_refuses_the_websocket_of_another_site,
    test_widgets_rerun_the_page,
)
from tests.support.site import UI_MODES, Launch

pytestmark = pytest.mark.browser

__all__ = [
    "test_admits_the_websocket_of_its_own_site",
    "test_hands_out_a_file",
    "test_leads_from_page_to_page",
    "test_page_and_api_share_the_request_id",
    "test_receives_a_file",
    "test_refuses_the_websocket_of_another_site",
    "test_widgets_rerun_the_page",
]

LAUNCHES = {"": Launch(folders=(Path(__file__).parent / "apps/gallery",))}
DOORS = UI_MODES

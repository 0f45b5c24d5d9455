"""What a page takes from the network, as the browser counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

ICON_FONT = "[...document.fonts].find((font) => font.family.includes('Material Symbols'))?.status"
"""Tells in a page how far its font for icons is."""


class Traffic:
    """Bytes that a page's files took on the wire, and bytes that they are."""

    def __init__(self, page: Page) -> None:
        self.wire = self.content = 0.0
        tools = page.context.new_cdp_session(page)
        tools.send("Network.enable")
        tools.on("Network.loadingFinished", self._finished)
        tools.on("Network.dataReceived", self._received)

    def _finished(self, event: dict[str, Any]) -> None:
        self.wire += event["encodedDataLength"]

    def _received(self, event: dict[str, Any]) -> None:
        self.content += event["dataLength"]

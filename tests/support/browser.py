"""The system's Chromium, driven by Playwright, and what a page said while a test used it.

Debian builds it twice: ``chromium``, and ``chromium-headless-shell``, the same engine without the
windows that a person sees. A visit in the latter takes 0.6 times as long.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Error, Page

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
SCREENSHOTS = Path(".cache/screenshots")
FLAGS = (
    "--no-sandbox",  # root may not use it, and containers often forbid it to everybody
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine can be reached, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
PATIENCE = 30_000
"""Milliseconds that an expectation may take; two busy cores can be slow."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one headless Chromium for as long as the block lasts."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "no chromium is installed; see scripts/system-packages"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            headless=True, executable_path=program, args=list(FLAGS)
        )
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


def _is_search_for_server(url: str) -> bool:
    """Whether Streamlit's frontend was looking for its server.

    Opened at ``/orders`` it cannot know whether that is a page or the server's base path; it asks
    below both, and one of the two answers 404.
    """
    return url.endswith(("/_stcore/health", "/_stcore/host-config"))


@dataclass  # without slots: Playwright keeps a mark on the owner of a listener
class Complaints:
    """What went wrong in a page: errors on its console and exceptions that nobody caught."""

    origin: str
    messages: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note everything that this page says from now on."""
        page.on("console", self._console)
        page.on("pageerror", self._uncaught)

    def _console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # A font or a counter on another host is Streamlit's wish and cannot be reached from here.
        foreign = bool(url) and not url.startswith(self.origin)
        if message.type == "error" and not foreign and not _is_search_for_server(url):
            self.messages.append(f"console: {message.text} ({url})")

    def _uncaught(self, error: Error) -> None:
        self.messages.append(f"uncaught: {error}")


@contextmanager
def fresh_page(browser: Browser, origin: str) -> Iterator[tuple[Page, Complaints]]:
    """Open a page in a context of its own: no cookies, no cache, nothing stored."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints = Complaints(origin)
    complaints.listen(page)
    try:
        yield page, complaints
    finally:
        context.close()


def screenshot(page: Page, name: str) -> Path:
    """Keep a picture of the page for whoever reads the failure."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}.png"
    page.screenshot(path=path, timeout=5_000)
    return path

"""What the outside learns of each page before any script runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fluxlit.frontend.page import PageHead
from fluxlit.pages.records import PageRecord
from fluxlit.pages.runner import Site

PublicAddress = Callable[[str], str]
"""Gives a page's public address for its path; empty where that is not known."""


def page_heads(
    site: Site, address: PublicAddress, *, script: Path | None = None
) -> dict[str, PageHead]:
    """Make the head of each page by the name it has in the browser's address.

    Args:
        site: The app's pages.
        address: Where pages are published.
        script: A script without a title that is served instead of pages; it lends its name.

    Returns:
        The heads; that of the UI's root under ``""``, also when there are no pages.
    """
    given = site.page_config.get("page_title")
    icon = site.page_config.get("page_icon")

    def head(record: PageRecord) -> PageHead:
        path = "/" if record is site.default else record.path
        return PageHead(
            str(given or site.tab_title(record)),
            description=record.description,
            site=site.title,
            icon=str(icon or record.icon or ""),
            url=address(path),
        )

    title = str(given or (script.stem if script else site.title))
    heads = {"": PageHead(title, site=title, icon=str(icon or ""), url=address("/"))}
    for record in site.pages:
        heads["" if record is site.default else record.slug] = head(record)
    return heads

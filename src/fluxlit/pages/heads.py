"""What the outside learns of each page before any script runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fluxlit.frontend.page import PageHead
from fluxlit.pages.navigation import Entry
from fluxlit.pages.runner import Site, page_config

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
    title = str(given or (script.stem if script else site.title))
    root = PageHead(title, site=site.title, icon=str(icon or ""), url=address("/"))

    def head(entry: Entry) -> PageHead:
        record = entry.record
        url = address("/" if entry.default else f"/{record.slug}")
        if record.guards:  # whoever may not see the page learns no more than its address
            return replace(root, url=url)
        config = page_config(site, entry)
        return PageHead(
            str(config["page_title"]),
            description=record.description,
            site=site.title,
            icon=str(config.get("page_icon") or entry.icon or ""),
            url=url,
        )

    heads = {"": root}
    for entry in site.navigation.entries:
        heads["" if entry.default else entry.record.slug] = head(entry)
    return heads

"""What a page says of itself: for the browser's tab, the navigation, the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from fluxlit._paths import page_slug

CONFIG_FIELDS = ("page_title", "page_icon", "layout", "initial_sidebar_state")
"""Fields that are arguments of ``st.set_page_config``."""


class PageMeta(BaseModel):
    """What a page says of itself, at registration (``page_meta=``) or as its result.

    Attributes:
        page_title: Title in the browser's tab, in place of the page's own and the app's.
        page_icon: Icon in the tab, and in the navigation unless ``icon=`` was given.
        layout: How wide the page is.
        initial_sidebar_state: Whether the sidebar is open at first.
        breadcrumb: Shown in the sidebar; a list is joined by slashes.
        order: Pages with a lower number come first in the navigation; those without come last.
        description: What the page is for: in the manifest, and for search engines.
        children: Pages that follow this one in the navigation, each a mapping with ``path`` (or
            ``url_path``) and, if wanted, ``title`` and ``icon``, which then replace the page's own.
        tags: Words to group pages by, besides those of ``tags=``.

    Example:
        >>> PageMeta(page_title="Orders", layout="wide", breadcrumb=["Sales", "Orders"]).trail()
        'Sales / Orders'
    """

    model_config = ConfigDict(extra="ignore")

    page_title: str | None = None
    page_icon: str | None = None
    layout: Literal["centered", "wide"] | None = None
    initial_sidebar_state: Literal["auto", "expanded", "collapsed"] | None = None
    breadcrumb: str | list[str] | None = None
    order: int | None = None
    description: str | None = None
    children: list[dict[str, Any]] = []
    tags: tuple[str, ...] = ()

    def page_config(self) -> dict[str, Any]:
        """Return the arguments for ``st.set_page_config`` that are said here."""
        return {name: value for name in CONFIG_FIELDS if (value := getattr(self, name)) is not None}

    def trail(self) -> str:
        """Return the breadcrumb as one line."""
        said = self.breadcrumb or ""
        return said if isinstance(said, str) else " / ".join(said)

    def child_slugs(self) -> dict[str, Mapping[str, Any]]:
        """Return the children by their slug."""
        named = ((child.get("path") or child.get("url_path"), child) for child in self.children)
        return {page_slug(str(path)): child for path, child in named if path is not None}


NO_META: Final = PageMeta()
"""What a page says of itself that says nothing."""

Page = PageMeta
"""Another name of :class:`PageMeta`."""

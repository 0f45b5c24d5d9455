"""Pages: registered functions, what they need, and how a run of one goes."""

from __future__ import annotations

from fluxlit.pages.records import PageFn, PageRecord, page_slug
from fluxlit.pages.registry import PageRegistry

__all__ = ["PageFn", "PageRecord", "PageRegistry", "page_slug"]

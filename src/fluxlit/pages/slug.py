"""The name of a page in the browser's address."""

from __future__ import annotations

from fluxlit._paths import page_slug

__all__ = ["page_slug"]

"""Pages: registered functions, what they need, and how a run of one goes."""

from __future__ import annotations

from fluxlit.pages.di import resolve_and_call_page, resolve_page_kwargs
from fluxlit.pages.flags import FluxlitFeatureFlags
from fluxlit.pages.manifest import build_page_manifest
from fluxlit.pages.markers import Cookie, Depends, Header, Query
from fluxlit.pages.meta import Page, PageMeta
from fluxlit.pages.navigation import NavigationModel
from fluxlit.pages.query import parse_query_params, parse_query_params_adapter
from fluxlit.pages.records import PageFn, PageOptions, PageRecord
from fluxlit.pages.registry import PageRegistry
from fluxlit.pages.session_state import SessionModel
from fluxlit.pages.slug import page_slug
from fluxlit.pages.validate import validate_fluxlit_pages

__all__ = [
    "Cookie",
    "Depends",
    "FluxlitFeatureFlags",
    "Header",
    "NavigationModel",
    "Page",
    "PageFn",
    "PageMeta",
    "PageOptions",
    "PageRecord",
    "PageRegistry",
    "Query",
    "SessionModel",
    "build_page_manifest",
    "page_slug",
    "parse_query_params",
    "parse_query_params_adapter",
    "resolve_and_call_page",
    "resolve_page_kwargs",
    "validate_fluxlit_pages",
]

"""One run of a page's script: navigation, the browser tab's title, and the page itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from fluxlit.logging import REQUEST_ID_HEADER, is_well_formed, set_request_id
from fluxlit.pages.records import PageRecord


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages of one app have in common.

    Attributes:
        title: The app's title.
        pages: The pages in navigation order.
        default: The page at the UI's root.
        page_config: Arguments for ``st.set_page_config``.
        provided: What a page function can get, by type.
        made: What is made anew for each run, by type.
    """

    title: str
    pages: tuple[PageRecord, ...]
    default: PageRecord | None
    page_config: Mapping[str, Any] = field(default_factory=dict)
    provided: Mapping[type, object] = field(default_factory=dict)
    made: Mapping[type, Callable[[], object]] = field(default_factory=dict)

    def for_run(self, st: ModuleType) -> dict[type, object]:
        """Return what there is to give in one run."""
        made = {kind: make() for kind, make in self.made.items()}
        return {ModuleType: st, **made, **self.provided}

    def tab_title(self, record: PageRecord) -> str:
        """Return the title of the browser's tab for a page."""
        return self.title if record is self.default else f"{record.title} · {self.title}"


def run_site(st: ModuleType, site: Site) -> None:
    """Run the page that the browser shows; the whole script of a UI worker.

    Args:
        st: The ``streamlit`` module.
        site: The app's pages.
    """
    _adopt_request_id(st)
    if not site.pages:
        st.set_page_config(**{"page_title": site.title, **site.page_config})
        st.title(site.title)
        st.info("Register UI with @app.page(...) and reload.")
        return
    provided = site.for_run(st)
    shown = {_page(st, site, record, provided): record for record in site.pages}
    chosen = st.navigation(list(shown))
    st.set_page_config(**{"page_title": site.tab_title(shown[chosen]), **site.page_config})
    chosen.run()


def _page(
    st: ModuleType, site: Site, record: PageRecord, provided: Mapping[type, object]
) -> object:
    def run() -> None:
        result = record.fn(**record.plan.arguments(provided))
        if inspect.iscoroutine(result):
            asyncio.run(result)  # the script's thread has no loop of its own

    return st.Page(
        run,
        title=record.title,
        icon=record.icon,
        url_path=record.slug,
        default=record is site.default,
    )


def _adopt_request_id(st: ModuleType) -> None:
    """Carry on the id of the request that opened this page's WebSocket."""
    value = st.context.headers.get(REQUEST_ID_HEADER)
    set_request_id(value if value and is_well_formed(value) else None)

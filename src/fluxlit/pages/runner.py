"""One run of a page's script: navigation, the browser tab's title, and the page itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from fluxlit.client import ApiClient
from fluxlit.deep_links import match_nav_page, query_values
from fluxlit.exceptions import PageRefused
from fluxlit.logging import REQUEST_ID_HEADER, is_well_formed, set_request_id
from fluxlit.pages.errors import show
from fluxlit.pages.meta import PageMeta
from fluxlit.pages.navigation import Entry, Navigation
from fluxlit.pages.records import PageRecord
from fluxlit.pages.run import Call, Run, is_generator

DEEP_LINK = "page"
"""The query parameter that names a page to go to."""


class StreamlitPages:
    """Streamlit's page objects: made once for each page, copied for each run.

    Making one takes 70 µs, which sixty pages would pay on each interaction; a copy takes 1 µs. The
    copy is needed because Streamlit notes in the object that it may be run.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], Any] = {}

    def page(self, st: Any, entry: Entry, *, refused: bool = False) -> Any:
        """Return the object of one page for one run."""
        key = entry.record.slug, refused
        made = self._made.get(key)
        if made is None:
            made = self._made.setdefault(key, _streamlit_page(st, entry, refused=refused))
        return copy.copy(made)


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages of one app have in common; made once, not for each run.

    Attributes:
        title: The app's title.
        navigation: The pages, arranged.
        page_config: Arguments for ``st.set_page_config``.
        provided: What a page function can get, by type, besides ``st`` and the client.
        make_client: Makes the API client of one run.
        replaced: Dependencies and what is called in their place; for tests.
        values: Values for parameters by their name; for tests.
        shown: Streamlit's page objects.
    """

    title: str
    navigation: Navigation
    page_config: Mapping[str, Any] = field(default_factory=dict)
    provided: Mapping[type, object] = field(default_factory=dict)
    make_client: Callable[[], ApiClient] = ApiClient
    replaced: Mapping[Call, Call] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    shown: StreamlitPages = field(default_factory=StreamlitPages, compare=False)


def run_site(st: ModuleType, site: Site) -> None:
    """Run the page that the browser shows; the whole script of a UI worker.

    Args:
        st: The ``streamlit`` module.
        site: The app's pages.
    """
    _adopt_request_id(st)
    if not site.navigation.entries:
        st.set_page_config(**{"page_title": site.title, **site.page_config})
        st.title(site.title)
        st.info("Register UI with @app.page(...) and reload.")
        return
    provided = {**site.provided, ModuleType: st, ApiClient: site.make_client()}
    run = Run(st, provided, replaced=site.replaced, values=site.values)
    script = _Script(st, site, run)
    try:
        with run:
            script()
    except Exception as exc:  # noqa: BLE001 - whatever a page raises is shown in its place
        show(st, exc, page=script.path)


class _Script:
    """One run: who may see what, where the visitor is, and the page there.

    Attributes:
        path: The page that is shown, once it is known.
    """

    def __init__(self, st: ModuleType, site: Site, run: Run) -> None:
        self.path = ""
        self._st = st
        self._site = site
        self._run = run

    def __call__(self) -> None:
        entries = self._site.navigation.entries
        refusals = {entry.record.slug: refusal(entry.record, self._run) for entry in entries}
        pages = {
            self._site.shown.page(self._st, entry, refused=bool(refusals[entry.record.slug])): entry
            for entry in entries
        }
        self._follow_deep_link(pages, refusals)
        chosen = self._navigate(pages)
        entry = pages[chosen]
        self.path = entry.record.path
        self._st.set_page_config(**page_config(self._site, entry))
        token = _body.set(lambda: self._show(entry.record, refusals[entry.record.slug]))
        try:
            chosen.run()
        finally:
            _body.reset(token)

    def _navigate(self, pages: Mapping[Any, Entry]) -> Any:
        navigation = self._site.navigation
        sections: dict[str, list[Any]] = {}
        for page, entry in pages.items():
            sections.setdefault(entry.section, []).append(page)
        headed = len(sections) > 1 or "" not in sections
        return self._st.navigation(
            sections if headed else list(pages),
            position=navigation.position,
            expanded=navigation.expanded,
        )

    def _follow_deep_link(
        self, pages: Mapping[Any, Entry], refusals: Mapping[str, Exception | None]
    ) -> None:
        """Go to the page that ``?page=`` names, with the rest of the query string."""
        query = query_values(self._st)
        wanted = query.pop(DEEP_LINK, None)
        if not wanted:
            return
        open_pages = {
            (entry.record.path, entry.title): page
            for page, entry in pages.items()
            if entry.visible and refusals[entry.record.slug] is None
        }
        found = match_nav_page({DEEP_LINK: wanted[0]}, open_pages)
        if found is not None:
            self._st.switch_page(open_pages[found], query_params=query)

    def _show(self, record: PageRecord, refused: Exception | None) -> None:
        if refused is not None:
            raise refused
        if record.meta.trail():
            self._st.sidebar.caption(record.meta.trail())
        run_page(record, self._run)


def refusal(record: PageRecord, run: Run) -> Exception | None:
    """Ask a page's guards; returns what one of them raised, None when they let the visitor in.

    A guard refuses by raising, or by returning False. One that fails for a reason of its own
    refuses too.
    """
    try:
        for guard in record.guards:
            if guard.value(run) is False:
                return PageRefused()
    except Exception as exc:  # noqa: BLE001 - in doubt the page stays closed
        return exc
    return None


def run_page(record: PageRecord, run: Run) -> Any:
    """Call a page function with what it declares, and apply what it says of itself.

    Returns:
        What it returned; of a generator, the last value that it yielded or returned.
    """
    arguments = record.plan.arguments(run)
    if not is_generator(record.fn):
        result = run.finish(record.fn(**arguments))
        apply_meta(run.st, result)
        return result
    result = None
    parts = record.fn(**arguments)
    while True:
        try:
            result = next(parts)
        except StopIteration as end:
            result = result if end.value is None else end.value
            apply_meta(run.st, end.value)
            return result
        apply_meta(run.st, result)


def apply_meta(st: Any, said: object) -> None:
    """Apply what a page returned: a :class:`PageMeta`, or a mapping of its fields."""
    if isinstance(said, Mapping):
        try:
            said = PageMeta.model_validate(said)
        except ValidationError as exc:
            first = exc.errors()[0]
            st.error(f"Invalid page metadata: {'.'.join(map(str, first['loc']))}: {first['msg']}")
            return
    if not isinstance(said, PageMeta):
        return
    if config := said.page_config():
        st.set_page_config(**config)
    if said.trail():
        st.sidebar.caption(said.trail())


def page_config(site: Site, entry: Entry) -> dict[str, Any]:
    """Return the arguments for ``st.set_page_config``: the page's word, the app's, the title."""
    title = site.title if entry.default else f"{entry.title} · {site.title}"
    said = entry.record.meta.page_config()
    return {"page_title": title, **site.page_config, **said}


_body: ContextVar[Callable[[], None]] = ContextVar("page_body")
"""What the page that is being run does; its Streamlit object outlives the run."""


def _run_body() -> None:
    _body.get()()


def _streamlit_page(st: Any, entry: Entry, *, refused: bool) -> Any:
    """Make Streamlit's object of a page; of a refused one nobody learns more than its address."""
    visible = entry.visible and not refused
    return st.Page(
        _run_body,
        title="Not available" if refused else entry.title,
        icon=None if refused else entry.icon,
        url_path=entry.record.slug,
        default=entry.default,
        visibility="visible" if visible else "hidden",
    )


def _adopt_request_id(st: ModuleType) -> None:
    """Carry on the id of the request that opened this page's WebSocket."""
    value = st.context.headers.get(REQUEST_ID_HEADER)
    set_request_id(value if value and is_well_formed(value) else None)

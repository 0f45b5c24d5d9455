"""One run of a page's script: navigation, the browser tab's title, and the page itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Final, Protocol

from pydantic import ValidationError

from fluxlit.client import ApiClient
from fluxlit.deep_links import match_nav_page, query_values
from fluxlit.exceptions import PageRefused
from fluxlit.pages.errors import logger, show
from fluxlit.pages.meta import PageMeta
from fluxlit.pages.navigation import Entry, Navigation
from fluxlit.pages.records import PageRecord
from fluxlit.pages.run import Call, Run
from fluxlit.pages.visit import adopt_request_id

DEEP_LINK: Final = "page"
"""The query parameter that names a page to go to."""

_MOST_MENUS: Final = 64
"""Menus that are kept: one for each combination of pages that visitors are refused."""

MenuOfPages = Callable[[], Any]
"""Tells the browser of the pages and returns the one that it is at."""


class MakeMenu(Protocol):
    """Makes a menu of Streamlit's page objects, alone or under headings."""

    def __call__(self, pages: Any, *, position: str, expanded: bool | int) -> MenuOfPages:
        """Make it."""


class StreamlitPages:
    """What Streamlit is told of an app's pages: made once, not for each run.

    Making Streamlit's object of a page takes 70 µs, which each rerun would pay for each page.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], Any] = {}
        self._menus: dict[frozenset[str], MenuOfPages] = {}

    def page(self, st: Any, entry: Entry, *, refused: bool = False) -> Any:
        """Return a copy of the object of one page."""
        return copy.copy(self._page(st, entry, refused=refused))

    def menu(
        self, st: Any, navigation: Navigation, refused: frozenset[str], make: MakeMenu
    ) -> MenuOfPages:
        """Return the menu for visitors who are refused these pages, by their slugs."""
        found = self._menus.get(refused)
        if found is None:
            if len(self._menus) >= _MOST_MENUS:
                self._menus.clear()
            found = self._menus[refused] = make(
                self._sections(st, navigation, refused),
                position=navigation.position,
                expanded=navigation.expanded,
            )
        return found

    def _sections(self, st: Any, navigation: Navigation, refused: frozenset[str]) -> Any:
        sections: dict[str, list[Any]] = {}
        for entry in navigation.entries:
            page = self._page(st, entry, refused=entry.record.slug in refused)
            sections.setdefault(entry.section, []).append(page)
        return sections if len(sections) > 1 or "" not in sections else sections[""]

    def _page(self, st: Any, entry: Entry, *, refused: bool) -> Any:
        key = entry.record.slug, refused
        if key not in self._made:
            self._made.setdefault(key, _streamlit_page(st, entry, refused=refused))
        return self._made[key]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page with the arguments for its ``st.set_page_config``."""

    entry: Entry
    config: Mapping[str, Any]


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
        shown: What Streamlit is told of the pages.
        guarded: Pages that may be refused.
        shelves: The pages by the path that Streamlit knows them under; the default's is ``""``.
    """

    title: str
    navigation: Navigation
    page_config: Mapping[str, Any] = field(default_factory=dict)
    provided: Mapping[type, object] = field(default_factory=dict)
    make_client: Callable[[], ApiClient] = ApiClient
    replaced: Mapping[Call, Call] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    shown: StreamlitPages = field(default_factory=StreamlitPages, compare=False)
    guarded: tuple[PageRecord, ...] = field(init=False)
    shelves: Mapping[str, Shelf] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        entries = self.navigation.entries
        records = (entry.record for entry in entries)
        object.__setattr__(self, "guarded", tuple(it for it in records if it.guards))
        shelves = {
            "" if entry.default else entry.record.slug: Shelf(entry, page_config(self, entry))
            for entry in entries
        }
        object.__setattr__(self, "shelves", shelves)

    @property
    def own_config(self) -> dict[str, Any]:
        """Arguments for ``st.set_page_config`` that tell of the app and of none of its pages."""
        return {"page_title": self.title, **self.page_config}


def run_site(st: ModuleType, site: Site, make_menu: MakeMenu) -> None:
    """Run the page that the browser shows; the whole script of a UI worker.

    Args:
        st: The ``streamlit`` module.
        site: The app's pages.
        make_menu: Makes the navigation over a set of pages.
    """
    adopt_request_id(st)
    if not site.navigation.entries:
        st.set_page_config(**site.own_config)
        st.title(site.title)
        st.info("Register UI with @app.page(...) and reload.")
        return
    provided = {**site.provided, ModuleType: st, ApiClient: site.make_client()}
    run = Run(st, provided, replaced=site.replaced, values=site.values)
    script = _Script(st, site, run, make_menu)
    try:
        with run:
            script()
    except Exception as exc:  # noqa: BLE001 - whatever a page raises is shown in its place
        show(st, exc, page=script.path)


def show_menu(st: ModuleType, site: Site, make_menu: MakeMenu) -> None:
    """Show the menu without a page, so that the browser keeps its place.

    Args:
        st: The ``streamlit`` module.
        site: The app's pages.
        make_menu: Makes the navigation over a set of pages.
    """
    if site.navigation.entries:
        site.shown.menu(st, site.navigation, frozenset(), make_menu)()


class _Script:
    """One run: who may see what, where the visitor is, and the page there.

    Attributes:
        path: The page that is shown, once it is known.
    """

    def __init__(self, st: ModuleType, site: Site, run: Run, make_menu: MakeMenu) -> None:
        self.path = ""
        self._st = st
        self._site = site
        self._run = run
        self._make_menu = make_menu

    def __call__(self) -> None:
        site = self._site
        refusals = self._refusals() if site.guarded else {}
        if self._st.query_params:
            self._follow_deep_link(refusals)
        menu = site.shown.menu(self._st, site.navigation, frozenset(refusals), self._make_menu)
        chosen = menu()
        shelf = site.shelves[chosen.url_path]
        record = shelf.entry.record
        self.path = record.path
        refused = refusals.get(record.slug) if refusals else None
        self._st.set_page_config(**(shelf.config if refused is None else site.own_config))
        body = partial(self._show, record, refused)
        token = _body.set(body)
        try:
            chosen.run()
        finally:
            _body.reset(token)

    def _refusals(self) -> dict[str, Exception]:
        """Ask the guards; returns the slugs of the pages that are refused, and why."""
        found = {}
        for record in self._site.guarded:
            refused = refusal(record, self._run)
            if refused is not None:
                found[record.slug] = refused
        return found

    def _follow_deep_link(self, refusals: Mapping[str, Exception]) -> None:
        """Go to the page that ``?page=`` names, with the rest of the query string."""
        query = query_values(self._st)
        wanted = query.pop(DEEP_LINK, None)
        if not wanted:
            return
        entries = {
            (entry.record.path, entry.title): entry
            for entry in self._site.navigation.entries
            if entry.visible and entry.record.slug not in refusals
        }
        found = match_nav_page({DEEP_LINK: wanted[0]}, entries)
        if found is not None:
            page = self._site.shown.page(self._st, entries[found])
            self._st.switch_page(page, query_params=query)

    def _show(self, record: PageRecord, refused: Exception | None) -> None:
        if refused is not None:
            raise refused
        if record.page_meta is not None:
            self._run.show_trail(record.page_meta.trail())
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
    if not record.yields:
        result = run.finish(record.fn(**arguments))
        if result is not None:
            apply_meta(run, result)
        return result
    result = None
    parts = record.fn(**arguments)
    while True:
        try:
            result = next(parts)
        except StopIteration as end:
            result = result if end.value is None else end.value
            apply_meta(run, end.value)
            return result
        apply_meta(run, result)


def apply_meta(run: Run, said: object) -> None:
    """Apply what a page returned: a :class:`PageMeta`, or a mapping of its fields."""
    if isinstance(said, Mapping):
        try:
            said = PageMeta.model_validate(said)
        except ValidationError as exc:
            first = exc.errors()[0]
            run.st.error(
                f"Invalid page metadata: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            )
            return
    if not isinstance(said, PageMeta):
        return
    if config := said.page_config():
        run.st.set_page_config(**config)
    run.show_trail(said.trail())


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
    make = partial(
        st.Page,
        _run_body,
        title="Not available" if refused else entry.title,
        url_path=entry.record.slug,
        default=entry.default,
        visibility="visible" if visible else "hidden",
    )
    icon = None if refused else entry.icon
    try:
        return make(icon=icon)
    except Exception as exc:
        if not icon:
            raise
        # A tab's icon may be an image, a menu's may not; and no icon is worth all the pages.
        logger.warning("page %s has no icon in the menu: %s", entry.record.path, exc)
        return make(icon=None)

"""Links from page to page by the page's function, checked against what the page reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from fluxlit._aliases import aliases_of
from fluxlit._paths import quoted
from fluxlit.exceptions import PageError
from fluxlit.pages.inputs import Input, QueryModel
from fluxlit.pages.markers import Place
from fluxlit.pages.navigation import Entry
from fluxlit.pages.records import PageFn
from fluxlit.pages.runner import Site, StreamlitPages
from fluxlit.pages.sources import Dependency, FromRequest, Plan

Query = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to a page with values for its parameters.

    Attributes:
        href: Where it leads, from the root of the host: for Markdown and mails. It reloads and can
            be shared; following it as a plain address begins a new session.
        title: The page's title.
        icon: The page's icon.
        query: The query string's parameters.
    """

    href: str
    title: str
    icon: str | None
    query: Query
    entry: Entry = field(repr=False)
    shown: StreamlitPages = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Return the address."""
        return self.href

    def show(self, st: Any, label: str | None = None, **options: Any) -> None:
        """Put the link on the page; following it keeps the session.

        Args:
            st: The ``streamlit`` module.
            label: Its words; by default the page's title.
            options: As for ``st.page_link``.
        """
        options.setdefault("icon", self.icon)
        page = self.shown.page(st, self.entry)
        st.page_link(page, label=label or self.title, query_params=self.query, **options)

    def follow(self, st: Any) -> None:
        """Go there now; the rest of the page is not run."""
        st.switch_page(self.shown.page(st, self.entry), query_params=self.query)


def link_to(site: Site, fn: PageFn, values: Mapping[str, Any], *, base: str = "") -> PageLink:
    """Make a link to the page that a function is.

    Args:
        site: The app's pages.
        fn: The page function.
        values: Values for what the page, its dependencies and its guards read from the address, by
            the names of their parameters. What is None is left out.
        base: Public path of the UI, in normal form.

    Raises:
        PageError: The function is no page, or the values are not what the page reads.
    """
    entry = next((it for it in site.navigation.entries if it.record.fn is fn), None)
    if entry is None:
        msg = f"{getattr(fn, '__qualname__', fn)!r} is not a page of this app"
        raise PageError(msg, remedy="give the function that stands under @app.page")
    query = _query(entry, values)
    path = base or "/"
    if not entry.default:
        path = f"{base}/{quoted(entry.record.slug)}"
    href = f"{path}?{urlencode(query, doseq=True)}" if query else path
    return PageLink(href, entry.title, entry.icon, query, entry, site.shown)


def _query(entry: Entry, values: Mapping[str, Any]) -> Query:
    readers = dict(_readers(entry.record.plan))
    for guard in entry.record.guards:
        readers = {**dict(_readers(guard.plan)), **readers}
    page = f"page {entry.record.path!r}"
    query: Query = {}
    for name, value in values.items():
        if name not in readers:
            near = difflib.get_close_matches(name, readers, 1)
            known = (
                f"did you mean {near[0]!r}?" if near else f"it reads {', '.join(readers) or '-'}"
            )
            raise PageError(f"{page} reads no parameter {name!r}", remedy=known)
        query |= _spelled(page, name, readers[name], value)
    for name, reader in readers.items():
        if isinstance(reader, Input) and reader.place is Place.PATH and reader.name not in query:
            msg = f"{page} needs a value for its path parameter {name!r}"
            raise PageError(msg, remedy=f"link(..., {name}=...)")
    return query


def _readers(plan: Plan) -> Iterator[tuple[str, Input | QueryModel]]:
    """Name what a page reads from its address; its own parameters last, so that they count."""
    for need in plan.needs:
        if isinstance(need.source, Dependency):
            yield from _readers(need.source.plan)
    for need in plan.needs:
        if isinstance(need.source, FromRequest) and _is_in_address(need.source.source):
            yield need.name, need.source.source


def _is_in_address(source: Input | QueryModel) -> bool:
    return isinstance(source, QueryModel) or source.place in (Place.QUERY, Place.PATH)


def _spelled(page: str, name: str, reader: Input | QueryModel, value: Any) -> Query:
    if value is None:
        return {}
    if isinstance(reader, QueryModel):
        return _spelled_model(f"{page}: {name}", reader, value)
    try:
        reader.adapter.validate_python(value)
    except ValidationError as exc:
        msg = f"{page}: {name}={value!r} is wrong: {exc.errors()[0]['msg']}"
        raise PageError(msg, remedy="give a value that the page can read back") from None
    return {reader.name: _text(to_jsonable_python(value))}


def _spelled_model(what: str, reader: QueryModel, value: Any) -> Query:
    """Spell a model's fields; as few as make the page read the same model."""
    try:
        model = reader.model.model_validate(value)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(("", *map(str, first["loc"])))
        msg = f"{what}{where} is wrong: {first['msg']}"
        raise PageError(msg, remedy="give a value that the page can read back") from None
    for sparing in (True, False):
        query = _fields(model, sparing=sparing)
        if _reads_back(reader, query, model):
            return query
    msg = f"{what}={model!r} cannot be said in an address: the page would read another value"
    raise PageError(msg, remedy="give a value that the page can read back")


def _fields(model: BaseModel, *, sparing: bool) -> Query:
    infos = type(model).model_fields
    fields = model.model_dump(mode="json", exclude_defaults=sparing)
    named = {(*aliases_of(infos[it]), it)[0] if it in infos else it: fields[it] for it in fields}
    return {name: _text(item) for name, item in named.items() if item is not None}


def _reads_back(reader: QueryModel, query: Query, model: BaseModel) -> bool:
    several = {key: it if isinstance(it, list) else [it] for key, it in query.items()}
    try:
        return reader.of_query(several) == model
    except ValidationError:
        return False


def _text(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [str(_text(item)) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)

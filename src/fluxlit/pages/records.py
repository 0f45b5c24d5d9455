"""One page as it was registered."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from pydantic import ValidationError

from fluxlit._paths import normalize, page_slug, path_parameters
from fluxlit.exceptions import PageError, PageSignatureError
from fluxlit.pages.inputs import Input
from fluxlit.pages.markers import Depends, dependency_marker
from fluxlit.pages.meta import NO_META, PageMeta
from fluxlit.pages.plan import Grounds, dependency_on, plan_of
from fluxlit.pages.run import is_async_generator, is_generator
from fluxlit.pages.signature import name_of
from fluxlit.pages.sources import UNPLANNED, Dependency, FromRequest, Plan

PageFn = Callable[..., Any]
"""A page, plain or ``async``: takes what it declares; may return a :class:`PageMeta`."""


@dataclass(frozen=True, slots=True)
class PageRecord:
    """One page as it was registered.

    Attributes:
        path: The path it was registered under.
        title: Shown in the navigation and the browser's tab.
        fn: The page function.
        tags: Words to group pages by.
        description: First line of the function's docstring.
        icon: An emoji or ``":material/name:"``.
        page_meta: What was said of the page besides.
        section: Heading that it stands under in the navigation.
        default: It is the page at the UI's root, whatever its path.
        visible: It stands in the navigation; if not, it can still be linked to and opened.
        yields: The function is a generator.
        plan: What the function needs; made once, at registration.
        guards: What must not refuse before anything of the page is shown.
    """

    path: str
    title: str
    fn: PageFn
    tags: tuple[str, ...] = ()
    description: str = ""
    icon: str | None = None
    page_meta: PageMeta | None = None
    section: str = ""
    default: bool = False
    visible: bool = True
    yields: bool = False
    plan: Plan = field(default=UNPLANNED, repr=False, compare=False)
    guards: tuple[Dependency, ...] = field(default=(), repr=False, compare=False)

    @property
    def slug(self) -> str:
        """The page's name in the browser's address."""
        return page_slug(self.path)

    @property
    def meta(self) -> PageMeta:
        """What was said of the page besides, empty if nothing was."""
        return self.page_meta or NO_META

    @property
    def place(self) -> str:
        """File and line of the page function."""
        code = getattr(inspect.unwrap(self.fn), "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(self.fn)


class PageOptions(TypedDict, total=False):
    """What may be said of a page besides its path.

    Attributes:
        title: Shown in navigation and tab; by default made from the function's name.
        icon: An emoji or ``":material/name:"``.
        tags: Words to group pages by.
        page_meta: More about the page, as :class:`fluxlit.pages.PageMeta` or a mapping.
        section: Heading that it stands under in the navigation.
        default: It is the page at the UI's root, whatever its path.
        visible: It stands in the navigation; by default if it has no path parameters.
        requires: A dependency that may refuse the visitor, or a list of them; see
            :class:`fluxlit.exceptions.PageRefused`.
    """

    title: str | None
    icon: str | None
    tags: Sequence[str]
    page_meta: PageMeta | Mapping[str, Any] | None
    section: str | None
    default: bool
    visible: bool | None
    requires: Depends | Callable[..., Any] | Sequence[Depends | Callable[..., Any]]


def make_record(
    path: str, fn: PageFn, options: PageOptions | None = None, grounds: Grounds | None = None
) -> PageRecord:
    """Make the record of a page function.

    Args:
        path: Where the page is.
        fn: The page function.
        options: What is said of it besides.
        grounds: What the app can give to it.

    Raises:
        PageError: Something that was said of the page cannot be.
        PageSignatureError: The function asks for something that no page can get.
    """
    said, grounds = options or PageOptions(), grounds or Grounds()
    _check_options(path, said)
    meta = _meta(path, said.get("page_meta"))
    first_line, *_ = (inspect.getdoc(fn) or "").strip().splitlines() or [""]
    tags = dict.fromkeys((*said.get("tags", ()), *(meta.tags if meta else ())))
    visible = said.get("visible")
    return PageRecord(
        path=path,
        title=said.get("title") or default_title(fn),
        fn=fn,
        tags=tuple(tags),
        description=(meta and meta.description) or first_line.strip(),
        icon=said.get("icon") or (meta.page_icon if meta else None),
        page_meta=meta,
        section=said.get("section") or "",
        default=said.get("default", False),
        visible=not path_parameters(path) if visible is None else visible,
        yields=is_generator(fn),
        plan=_page_plan(path, fn, grounds),
        guards=tuple(guards_of(said.get("requires", ()), grounds)),
    )


def _check_options(path: str, said: PageOptions) -> None:
    """Refuse what nobody would heed: a ``require=`` that guards nothing, tags that are letters."""
    known = PageOptions.__annotations__
    for name in said:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]}=?" if near else f"there are {', '.join(known)}"
            raise PageError(f"page {path!r}: there is no option {name!r}", remedy=remedy)
    if isinstance(said.get("tags"), str):
        raise PageError(f"page {path!r}: tags is text, not a list", remedy='such as tags=["sales"]')


def _page_plan(path: str, fn: PageFn, grounds: Grounds) -> Plan:
    """Plan a page; each path parameter must be somebody's."""
    plan = plan_of(fn, grounds)
    read = {
        source.source.name
        for source in plan.sources()
        if isinstance(source, FromRequest) and isinstance(source.source, Input)
    }
    unread = [name for name in path_parameters(path) if name not in read]
    if unread:
        msg = f"page {path!r}: nobody reads the path parameter {unread[0]!r}"
        raise PageSignatureError(msg, remedy=f"add a parameter {unread[0]}: str to the function")
    return plan


def guards_of(
    requires: Depends | Callable[..., Any] | Sequence[Depends | Callable[..., Any]],
    grounds: Grounds,
) -> list[Dependency]:
    """Plan the guards of a page.

    Raises:
        PageError: One of them is not a function.
    """
    several = requires if isinstance(requires, list | tuple) else [requires]
    found = []
    for one in several:
        marker = dependency_marker(one) or Depends(one if callable(one) else None)
        if marker.dependency is None:
            msg = f"requires={one!r} is not a dependency"
            raise PageError(msg, remedy="give a function, or Depends(function)")
        found.append(dependency_on(marker.dependency, grounds, use_cache=marker.use_cache))
    return found


def check_kind(record: PageRecord, *, may_yield: bool) -> None:
    """Refuse a page function of a kind that cannot be run.

    Raises:
        PageError: It is a generator, which must be allowed, or an asynchronous one.
    """
    if is_async_generator(record.fn):
        msg = f"page {record.path!r}: {name_of(record.fn)}() is an async generator"
        raise PageError(msg, remedy="let the function run to its end instead of yielding")
    if record.yields and not may_yield:
        msg = f"page {record.path!r}: {name_of(record.fn)}() is a generator, which shows nothing"
        raise PageError(msg, remedy="do not yield, or set FLUXLIT_EXPERIMENTAL_YIELD_PAGES=1")


def default_title(fn: PageFn) -> str:
    """Make a title from a function's name.

    >>> def open_orders() -> None: ...
    >>> default_title(open_orders)
    'Open Orders'
    """
    name = getattr(fn, "__name__", "")
    return name.replace("_", " ").strip().title() if name.isidentifier() else "Page"


def is_root(path: str) -> bool:
    """Tell whether a page's path is the UI's root."""
    return normalize(path) == ""


def _meta(path: str, said: PageMeta | Mapping[str, Any] | None) -> PageMeta | None:
    if said is None or isinstance(said, PageMeta):
        return said
    try:
        return PageMeta.model_validate(said)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"page {path!r}: page_meta {where} is wrong: {first['msg']}"
        raise PageError(msg, remedy="see fluxlit.pages.PageMeta for its fields") from None

"""One page as it was registered."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fluxlit._paths import normalize
from fluxlit.exceptions import PageError
from fluxlit.pages.plan import Plan, plan_of

PageFn = Callable[..., Any]
"""A page, plain or ``async``: takes what it declares; what it returns is not used."""


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
        plan: What the function needs; made once, at registration.
    """

    path: str
    title: str
    fn: PageFn
    tags: tuple[str, ...] = ()
    description: str = ""
    icon: str | None = None
    plan: Plan = field(default=Plan(), repr=False, compare=False)

    @property
    def slug(self) -> str:
        """The page's name in the browser's address."""
        return page_slug(self.path)


def page_slug(path: str) -> str:
    """Return the name that a page's path has in the browser's address.

    >>> page_slug("/users/"), page_slug("/")
    ('users', 'home')
    """
    return path.strip("/") or "home"


def make_record(
    path: str,
    fn: PageFn,
    *,
    title: str | None = None,
    icon: str | None = None,
    tags: tuple[str, ...] = (),
) -> PageRecord:
    """Make the record of a page function.

    Raises:
        PageError: The function is a generator, or asks for something that no page can get.
    """
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        msg = f"page {path!r}: {default_title(fn)} is a generator, which shows nothing"
        raise PageError(msg, remedy="let the function run to its end instead of yielding")
    first_line, *_ = (fn.__doc__ or "").strip().splitlines() or [""]
    return PageRecord(
        path=path,
        title=title or default_title(fn),
        fn=fn,
        tags=tags,
        description=first_line.strip(),
        icon=icon,
        plan=plan_of(fn),
    )


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

"""The pages of one app: registering, refusing what cannot work, finding them in a package."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from fluxlit._paths import is_parameter, path_parameters
from fluxlit._streamlit.frontend import SERVER_PATHS
from fluxlit.exceptions import PageError
from fluxlit.pages.records import PageRecord

STREAMLIT_PATHS: Final = frozenset(SERVER_PATHS) | {"app"}
"""Names that no page can have in the browser's address."""


_UNFIT: Final = re.compile(r"[^\w\-.~!$&'()*+,;=@/{}]+")
"""What no segment of an address holds as it is (RFC 3986, 3.3), letters of any script apart.

The colon is one more: Streamlit's frontend shows nothing at an address with one.
"""


class PageRegistry:
    """The pages of one app, in the order in which they were registered."""

    def __init__(self) -> None:
        self._records: list[PageRecord] = []

    def __iter__(self) -> Iterator[PageRecord]:
        """Iterate over the pages in order."""
        return iter(self._records)

    def __len__(self) -> int:
        """Return how many pages there are."""
        return len(self._records)

    def add(self, record: PageRecord, *, taken: str = "") -> None:
        """Register one page.

        Args:
            record: The page.
            taken: Path of the API, beside which the pages live.

        Raises:
            PageError: The path cannot be a page's, or is taken.
        """
        _check_path(record, taken)
        for other in self._records:
            if other.slug == record.slug:
                msg = (
                    f"duplicate Streamlit page path: {record.path!r} and {other.path!r} have the"
                    f" same url_path slug {record.slug!r} ({record.place}, {other.place})"
                )
                raise PageError(msg, remedy="give one of the two another path")
            if other.default and record.default:
                msg = (
                    f"two default pages: {record.path!r} and {other.path!r}"
                    f" ({record.place}, {other.place})"
                )
                raise PageError(msg, remedy="say default=True for one of the two")
        self._records.append(record)

    def sort(self) -> None:
        """Order all pages by path and title."""
        self._records.sort(key=lambda record: (record.path, record.title))


def discover(directory: str | Path, *, package: str, register: Callable[[ModuleType], None]) -> int:
    """Import the modules of a folder of pages, in the order of their names.

    Args:
        directory: Name of the folder under the package.
        package: The importable package that holds the folder.
        register: Called with each module.

    Returns:
        How many modules were imported. Subpackages and names that begin with ``_`` are skipped.

    Raises:
        TypeError: *package* is a module, not a package.
        ImportError: The folder is not an importable package, or one of its modules fails.
    """
    parent = importlib.import_module(package)
    if not hasattr(parent, "__path__"):
        msg = f"{package!r} must be a package to discover pages in"
        raise TypeError(msg)
    name = f"{package}.{Path(directory).name}"
    try:
        folder = importlib.import_module(name)
    except ImportError as exc:
        msg = f"Cannot import page package {name!r}: {exc}"
        raise ImportError(msg) from exc
    found = sorted(info.name for info in pkgutil.iter_modules(folder.__path__) if not info.ispkg)
    modules = [module for module in found if not module.startswith("_")]
    for module in modules:
        register(importlib.import_module(f"{name}.{module}"))
    return len(modules)


def offer(module: ModuleType, app: object) -> None:
    """Let a module register its pages, if it has a function ``register(app)``."""
    hook = getattr(module, "register", None)
    if hook is not None:
        hook(app)


def _check_path(record: PageRecord, taken: str) -> None:
    page, slug = f"page {record.path!r}", record.slug
    first = record.path.strip("/").split("/")[0]
    if {first, slug} & STREAMLIT_PATHS or f"/{first}/".startswith(f"{taken or None}/"):
        msg = f"{page}: that path is Streamlit's or the API's own"
        raise PageError(msg, remedy=f"use another one, such as /{slug}-page")
    if "{" in slug or "}" in slug:
        msg = f"{page}: a path parameter is a whole segment with a name in braces"
        raise PageError(msg, remedy="write it as /users/{id}")
    fit = _UNFIT.sub("-", slug).strip("-.")
    if _UNFIT.search(slug) or not slug.strip("."):
        msg = f"{page}: the path holds a blank, or something else that no page address can hold"
        raise PageError(msg, remedy=f"use letters, digits and dashes: /{fit or 'open-orders'}")
    if "/" in slug:
        msg = f"{page}: Streamlit has no pages below a page"
        raise PageError(msg, remedy=f"use one segment, such as /{slug.replace('/', '-')}")
    names = path_parameters(record.path)
    if is_parameter(first):
        msg = f"{page}: the path begins with a path parameter, so it would take every page's place"
        raise PageError(msg, remedy="begin with a fixed segment, such as /users/{id}")
    if len(names) != len(set(names)):
        msg = f"{page}: two path parameters have the same name"
        raise PageError(msg, remedy="give each a name of its own")
    if names and record.default:
        msg = f"{page}: a page with path parameters cannot be the default page"
        raise PageError(msg, remedy="drop default=True")

"""The pages of one app: registering, refusing what cannot work, finding them in a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from fluxlit._streamlit.frontend import SERVER_PATHS
from fluxlit.exceptions import PageError
from fluxlit.pages.records import PageRecord, is_root

STREAMLIT_PATHS: Final = frozenset(SERVER_PATHS) | {"app"}
"""Names that no page can have in the browser's address."""


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
        if record.slug in STREAMLIT_PATHS or f"/{record.slug}/".startswith(f"{taken or None}/"):
            msg = f"page {record.path!r}: that path is Streamlit's or the API's own"
            raise PageError(msg, remedy=f"use another one, such as /{record.slug}-page")
        if "/" in record.slug:
            msg = f"page {record.path!r}: Streamlit has no pages below a page"
            raise PageError(
                msg, remedy=f"use one segment, such as /{record.slug.replace('/', '-')}"
            )
        for other in self._records:
            if other.slug == record.slug:
                msg = (
                    f"duplicate Streamlit page path: {record.path!r} and {other.path!r} have the"
                    f" same url_path slug {record.slug!r} ({_place(record)}, {_place(other)})"
                )
                raise PageError(msg, remedy="give one of the two another path")
        self._records.append(record)

    def sort(self) -> None:
        """Order all pages by path and title."""
        self._records.sort(key=lambda record: (record.path, record.title))

    @property
    def default(self) -> PageRecord | None:
        """The page shown at the UI's root: the one registered there, else the first."""
        at_root = (record for record in self._records if is_root(record.path))
        return next(at_root, self._records[0] if self._records else None)


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


def _place(record: PageRecord) -> str:
    code = getattr(record.fn, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(record.fn)

"""Public names that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_face(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package whose face is lazy.

    Args:
        package: The package's ``__name__``.
        homes: Public name and the module that defines it.

    Example:
        >>> __getattr__, __dir__ = lazy_face(__name__, {"FluxLit": "fluxlit.app"})
    """

    def find(name: str) -> object:
        if name not in homes:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value: object = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)  # from now on without this function
        return value

    return find, lambda: sorted({*homes, *vars(sys.modules[package]).get("__all__", ())})

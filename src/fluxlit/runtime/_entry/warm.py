"""Import ahead what the user's code will need: installed packages, never that code itself."""

from __future__ import annotations

import contextlib
import importlib
import sys

from fluxlit._frames import is_installed
from fluxlit.workers.channel import JsonObject

_BEFORE = frozenset(sys.modules)


def imported_packages() -> list[str]:
    """Return the names of installed modules that were imported since, in order."""
    new = [(name, module) for name, module in list(sys.modules.items()) if name not in _BEFORE]
    return [name for name, module in new if _is_installed(module)]


def _is_installed(module: object) -> bool:
    file = getattr(module, "__dict__", {}).get("__file__")  # some modules make up the others
    return isinstance(file, str) and is_installed(file)


def prepare(message: JsonObject) -> None:
    """Import what another worker had to, so that the code which needs it loads quickly.

    Args:
        message: Has ``modules``, their names, and ``search_path``, where they may be.
    """
    names, path = message.get("modules"), message.get("search_path")
    before = list(sys.path)
    sys.path += (
        [str(entry) for entry in path if entry not in before] if isinstance(path, list) else []
    )
    for name in names if isinstance(names, list) else ():
        with contextlib.suppress(Exception):  # whoever needs it learns why it fails
            importlib.import_module(str(name))
    sys.path[:] = before

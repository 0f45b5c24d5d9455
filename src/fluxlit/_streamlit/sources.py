"""Edits in a UI worker: the user's modules are forgotten once, then every open page runs anew.

Streamlit watches files for each session by itself. Its watchers know only modules that a run has
imported, so a page that is opened while a module is broken does not follow the correction; and each
session forgets all modules on its own, also while another one imports them. Here the edits come
from the owner of the service, which watches the files for all of its workers.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Final

from streamlit.runtime import app_session
from streamlit.watcher.local_sources_watcher import LocalSourcesWatcher

IsOwn = Callable[[str], bool]
"""Tells whether a file is the user's own."""

Told = Callable[[str | None], None]
"""A session's: shows its page anew, or asks whether to, as its user has chosen."""

IMPORTED_WITHIN: Final = 10.0
"""Seconds that an import which another run has begun may take before modules are forgotten."""


class SourceEdits:
    """The edits of a service, as one UI worker hears of them.

    Args:
        is_own: Tells whether a file is the user's own; modules from others are kept.
    """

    def __init__(self, is_own: IsOwn) -> None:
        self._is_own = is_own
        self._lock = threading.Lock()
        self._forgetting = threading.Lock()
        self._told: set[Told] = set()
        self._stale = False

    def install(self) -> None:
        """Let Streamlit's sessions follow these edits in place of what they would watch."""
        vars(app_session)["LocalSourcesWatcher"] = lambda _: _Session(self)

    def happened(self, paths: Iterable[str]) -> None:
        """Take edits of these files; called in any thread.

        Args:
            paths: The files; none if there are too many to name.
        """
        with self._lock:
            self._stale = True
            sessions = list(self._told)
        if not hasattr(
            LocalSourcesWatcher, "on_script_run"
        ):  # as in older releases: nobody will ask
            self.forget()
        named: list[str | None] = [*paths]
        for path in named or [None]:
            for tell in sessions:
                tell(path)

    def forget(self) -> None:
        """Forget the user's modules if any was edited since; called at the start of a run."""
        with self._forgetting:
            if not self._stale:
                return
            self._stale = False
            names = own_modules(sys.modules, self._is_own)
            _wait_for_imports(names)
            for name in names:
                sys.modules.pop(name, None)
            importlib.invalidate_caches()

    def follow(self, told: Told) -> None:
        """Tell a session of each edit from now on."""
        with self._lock:
            self._told.add(told)

    def leave(self, told: Told) -> None:
        """Tell a session no more."""
        with self._lock:
            self._told.discard(told)


class _Session:
    """Stands in for Streamlit's ``LocalSourcesWatcher`` of one session."""

    def __init__(self, edits: SourceEdits) -> None:
        self._edits = edits
        self._told: list[Told] = []

    def register_file_change_callback(self, cb: Told) -> None:
        self._told.append(cb)
        self._edits.follow(cb)

    def on_script_run(self) -> None:
        self._edits.forget()

    def update_watched_modules(self) -> None:
        """Nothing: new modules are watched already."""

    def update_watched_pages(self) -> None:
        """Nothing: new pages are watched already."""

    def close(self) -> None:
        for told in self._told:
            self._edits.leave(told)
        self._told.clear()


def own_modules(modules: Mapping[str, ModuleType | None], is_own: IsOwn) -> list[str]:
    """Return the names of the user's own modules, packages without an ``__init__`` included.

    What is below one of them goes with it, wherever its file is: it would hang on a parent that
    nobody can reach any more.
    """
    found = [name for name, module in list(modules.items()) if is_own_module(module, is_own)]
    below = tuple(f"{name}." for name in found)
    return [name for name in list(modules) if name in found or name.startswith(below)]


def is_own_module(module: ModuleType | None, is_own: IsOwn) -> bool:
    """Tell whether a module is the user's own, by its file or its folders."""
    attributes = getattr(module, "__dict__", {})  # some modules make up the others
    file = attributes.get("__file__")
    if isinstance(file, str):
        return is_own(file)
    folders = [it for it in attributes.get("__path__") or () if isinstance(it, str)]
    return bool(folders) and all(map(is_own, folders))


def _wait_for_imports(names: list[str]) -> None:
    """Wait until no other run is importing one of these modules.

    Python takes a module from ``sys.modules`` at the end of its import; forgotten meanwhile, that
    import fails with a KeyError.
    """
    deadline = time.monotonic() + IMPORTED_WITHIN
    while any(_is_being_imported(name) for name in names) and time.monotonic() < deadline:
        time.sleep(0.005)


def _is_being_imported(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))

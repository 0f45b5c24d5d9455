"""Notice edits: the file system says that something happened, a look says what.

So one rule holds for every editor, checkout and file system, and what happens while the watch is
being set up is not missed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import tomllib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from fluxlit.runtime.watching import CODE, STREAMLIT_FOLDER, Need, Sources

_LOG: Final = logging.getLogger("fluxlit.runtime")

QUIET_MS: Final = 50
"""Milliseconds without a change after which a burst of changes is over."""

BURST_MS: Final = 1600
"""Milliseconds after which a burst that does not end is looked at all the same."""

SETTLED_MS: Final = 500
"""Milliseconds after which a new watch surely watches."""

POLL_SECONDS: Final = 0.5
"""Between two looks, where the file system does not say anything."""

RESTLESS_EDITS: Final = 8
RESTLESS_SECONDS: Final = 10.0
"""A file that changes so often in so short a time is written by a program, not by a person."""

_LIVE: Final = frozenset({"theme", "client", "runner", "logger"})
"""Tables of Streamlit's ``config.toml`` that it follows by itself, in a running worker."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Files that were written, made or removed at about the same time.

    Attributes:
        paths: Which, in order.
        need: What has to happen so that all of it is live.
    """

    paths: tuple[Path, ...]
    need: Need


class Watch:
    """Follows the sources of a service.

    Args:
        sources: Where they are. A first look is taken at once; all that is edited later counts.
        since: What was written after this time (as ``time.time()`` has it) counts, too: whoever
            has loaded the code since then may have the older one.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        since: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._last_edits: dict[Path, deque[float]] = {}
        self._scan = sources.scan().before(since)
        self._words = {path: _words(path) for path in self._scan.files if self._is_settings(path)}

    @property
    def is_partial(self) -> bool:
        """Whether there is more than can be followed; the folders nearest to the app are."""
        return self._scan.is_partial

    async def edits(self) -> AsyncGenerator[Edit, None]:
        """Yield each edit once it is over, without end."""
        while True:
            folders = self._scan.folders
            async with aclosing(_stirrings(folders, self._sources)) as stirrings:
                async for _ in stirrings:
                    edit = await asyncio.to_thread(self._look)
                    if edit.need is not Need.NOTHING:
                        yield edit
                    if self._scan.folders != folders:
                        break

    def _look(self) -> Edit:
        """Return what was edited since the last look."""
        before, self._scan = self._scan, self._sources.scan()
        paths = self._scan.edited_since(before)
        counted = [path for path in paths if self._counts(path)]
        forget_bytecode(counted)
        return Edit(tuple(counted), max(map(self._sources.need, counted), default=Need.NOTHING))

    def _counts(self, path: Path) -> bool:
        if self._is_settings(path):
            return self._says_more(path)
        return path.suffix == CODE or not self._is_restless(path)

    def _is_restless(self, path: Path) -> bool:
        """Tell whether a file is an output: a page that writes it and is run for it never ends."""
        last = self._last_edits.setdefault(path, deque(maxlen=RESTLESS_EDITS))
        if len(last) == RESTLESS_EDITS and last[-1] - last[0] < RESTLESS_SECONDS:
            return True
        last.append(self._clock())
        if len(last) == RESTLESS_EDITS and last[-1] - last[0] < RESTLESS_SECONDS:
            _LOG.warning("%s changes all the time: from now on it is not followed", path)
            return True
        return False

    def _is_settings(self, path: Path) -> bool:
        return self._sources.need(path) is Need.FULL

    def _says_more(self, path: Path) -> bool:
        """Tell whether a file of settings says something else to us than when it was last read."""
        before = self._words.get(path)
        self._words[path] = _words(path)
        return bool(before or self._words[path]) and self._words[path] != before


def forget_bytecode(paths: Iterable[Path]) -> None:
    """Remove what Python has compiled of these files.

    It takes a compiled file for that of a source of the same length that was written in the same
    second, as after a quick correction of a letter
    (https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation).
    """
    for path in paths:
        if path.suffix == CODE:
            with suppress(OSError, NotImplementedError):
                Path(cache_from_source(str(path))).unlink(missing_ok=True)


async def _stirrings(folders: tuple[Path, ...], sources: Sources) -> AsyncGenerator[None, None]:
    """Yield whenever something may have happened in one of these folders; once in any case.

    Ends when one of them is gone.
    """
    try:
        async with aclosing(_told(folders, sources)) as told:
            async for _ in told:
                yield
    except FileNotFoundError:
        yield
        return
    except (ImportError, OSError, RuntimeError) as exc:
        _LOG.warning("the system does not tell of edits (%s); looking for them", exc)
    while True:
        await asyncio.sleep(POLL_SECONDS)
        yield


async def _told(folders: tuple[Path, ...], sources: Sources) -> AsyncGenerator[None, None]:
    """Yield when the system tells of a change that may count, and once when the watch stands.

    Raises:
        FileNotFoundError: A folder is gone.
        ImportError: There is nothing to watch with.
        OSError: The system does not watch so many.
        RuntimeError: The same, of other systems.
    """
    from watchfiles import Change, awatch  # noqa: PLC0415 - only development needs it

    def may_count(change: Change, name: str) -> bool:
        path = Path(name)
        if sources.need(path) is not Need.NOTHING:
            return True
        return change is Change.added and sources.holds(path) and path.is_dir()

    stands = False
    watching = awatch(
        *folders,
        watch_filter=may_count,
        recursive=False,
        step=QUIET_MS,
        debounce=BURST_MS,
        rust_timeout=SETTLED_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    async with aclosing(watching) as changes:
        async for change in changes:
            if change or not stands:
                stands = True
                yield


def _words(path: Path) -> object:
    """Return what a file of settings says to us; of one that is broken, all of its bytes."""
    content = b""
    with suppress(OSError):  # a file that is not there says nothing
        content = path.read_bytes()
    if path.suffix != ".toml":
        return content
    try:
        said = tomllib.loads(content.decode())
    except ValueError:
        return content
    if path.parent.name == STREAMLIT_FOLDER:
        return {key: value for key, value in said.items() if key not in _LIVE}
    if path.name == "pyproject.toml":
        tools = said.get("tool", {})
        return tools.get("fluxlit", {}) if isinstance(tools, dict) else {}
    return said

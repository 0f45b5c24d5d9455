"""The development loop: each edit gets into service, or it is told why the old code stays there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fluxlit.exceptions import StartupError
from fluxlit.runtime.edits import Edit, Watch
from fluxlit.runtime.watching import Need, sources_of

Replace = Callable[[Need], Awaitable[None]]
"""Puts new workers into service; raises StartupError if they do not start."""

MOST_NAMES: Final = 3
"""Files of one edit that are told by name."""

_DONE: Final = {
    Need.GATEWAY: "the API's new code serves after {:.2f} s",
    Need.FULL: "API and UI were started anew in {:.2f} s",
}


@dataclass(frozen=True, slots=True)
class Reload:
    """How a development server follows edits.

    Attributes:
        scope: What an edit replaces; None: what its files ask for.
        directories: Folders to follow beside the app's own.
    """

    scope: Need | None = None
    directories: tuple[Path, ...] = ()


class Development:
    """What a service does with edits, from before its first start on.

    Args:
        target: Where the app is.
        reload: How to follow edits; None: not at all, as in a service for users.
        announce: Told in words what became of an edit.
    """

    def __init__(self, target: str, reload: Reload | None, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._scope = reload.scope if reload else None
        self._watch = Watch(sources_of(target, reload.directories)) if reload else None
        if self._watch is not None and self._watch.is_partial:
            announce("too many folders to follow all; start in the app's own, or see --reload-dir")

    async def follow(self, replace: Replace) -> None:
        """Put each edit into service until cancelled.

        Args:
            replace: Puts new workers into service.
        """
        if self._watch is not None:
            await ReloadLoop(self._watch, replace, self._announce, scope=self._scope).run()

    def can_correct(self, error: StartupError) -> bool:
        """Tell whether to wait for an edit that may help against an error."""
        return self._watch is not None and error.by_app

    async def until_corrected(self, error: StartupError) -> None:
        """Tell why there is no service, and wait for an edit."""
        if self._watch is None:
            return
        self._announce(f"{_indented('error:', error)}\nwaiting for an edit; Ctrl-C ends this")
        async with aclosing(self._watch.edits()) as edits:
            edit = await anext(edits)
        self._announce(f"{named(edit.paths)}: starting ...")


class ReloadLoop:
    """Puts each edit into service.

    An edit that comes while the one before it is still starting takes its place.

    Args:
        watch: Notices edits.
        replace: Puts new workers into service.
        announce: Told in words what became of an edit.
        scope: What an edit replaces; None: what its files ask for.
    """

    def __init__(
        self,
        watch: Watch,
        replace: Replace,
        announce: Callable[[str], None],
        *,
        scope: Need | None = None,
    ) -> None:
        self._watch = watch
        self._replace = replace
        self._announce = announce
        self._scope = scope
        # What is not in service yet. A correction may need less than what it corrects.
        self._owed = Need.NOTHING
        self._superseded: set[Path] = set()

    async def run(self) -> None:
        """Follow edits until cancelled."""
        doing: asyncio.Task[None] | None = None
        try:
            async with aclosing(self._watch.edits()) as edits:
                async for edit in edits:
                    await _cancelled(doing)
                    doing = asyncio.create_task(self.take(edit))
        finally:
            await _cancelled(doing)

    async def take(self, edit: Edit) -> None:
        """Put one edit into service and tell what became of it."""
        started = time.monotonic()
        self._owed = max(self._owed, self._scope or edit.need)
        paths = sorted({*edit.paths, *self._superseded})
        try:
            await self._replace(self._owed)
        except StartupError as exc:
            self._announce(failure(paths, exc))
        except asyncio.CancelledError:
            self._superseded.update(paths)
            raise
        else:
            self._announce(success(paths, self._owed, time.monotonic() - started))
            self._owed = Need.NOTHING
        self._superseded.clear()


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel what is being done, if it still is, and wait for its end."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


def success(paths: Sequence[Path], need: Need, seconds: float) -> str:
    """Return the line that tells of an edit in service.

    Example:
        >>> success([Path("/desk/app.py")], Need.GATEWAY, 0.5)
        "app.py: the API's new code serves after 0.50 s"
    """
    return f"{named(paths)}: {_DONE[need].format(seconds)}"


def failure(paths: Sequence[Path], error: StartupError) -> str:
    """Return the lines that tell of an edit that does not start, with its cause."""
    heading = f"{named(paths)}: the old code serves on, the new one does not start"
    return _indented(heading, error)


def _indented(heading: str, error: StartupError) -> str:
    return "\n  ".join([heading, *str(error).splitlines()])


def named(paths: Sequence[Path]) -> str:
    """Name the files of an edit.

    Example:
        >>> named([Path(f"/desk/{name}.py") for name in "abcd"])
        'a.py, b.py, c.py and 1 more'
    """
    names = ", ".join(path.name for path in paths[:MOST_NAMES])
    more = len(paths) - MOST_NAMES
    return f"{names} and {more} more" if more > 0 else names

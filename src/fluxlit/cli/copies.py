"""``fluxlit build --assets``: the compressed copies of the UI's files, made ahead."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from fluxlit import _env
from fluxlit.cli.output import note
from fluxlit.exceptions import StartupError

if TYPE_CHECKING:
    from fluxlit._types import JsonValue
    from fluxlit.frontend.cache import CopyCache, Job

_NEWS_EVERY: Final = 2.0
"""Seconds between two lines of progress."""


def make_copies() -> dict[str, JsonValue]:
    """Make those that are missing, and tell of the progress.

    Returns:
        Their folder, how many were made, their bytes, and the seconds that it took.

    Raises:
        StartupError: There is no room, or another process makes them.
    """
    from fluxlit.frontend.cache import open_cache  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.frontend.options import cache_folder  # noqa: PLC0415

    cache, files = open_cache(cache_folder(os.environ))
    started = time.monotonic()
    try:
        with cache.alone() as alone:
            if not alone:
                msg = f"another process makes copies in {cache.directory}"
                raise StartupError(msg, remedy="wait until it has ended")
            jobs = cache.missing(files)
            with contextlib.closing(_made(cache, jobs)) as made:
                size = sum(_telling(made, len(jobs)))
    except OSError as exc:
        msg = f"cannot make copies in {cache.directory}: {exc}"
        raise StartupError(msg, remedy=f"set {_env.CACHE_DIR} to a folder with room") from exc
    seconds = round(time.monotonic() - started, 2)
    return {
        "directory": str(cache.directory),
        "made": len(jobs),
        "bytes": size,
        "seconds": seconds,
    }


def _made(cache: CopyCache, jobs: list[Job]) -> Generator[int, None, None]:
    """Make copies on all processors; those not begun are given up when this is closed."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield from pool.map(cache.make, jobs)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _telling(made: Iterable[int], total: int) -> Iterator[int]:
    told = time.monotonic()
    for number, size in enumerate(made, start=1):
        if time.monotonic() - told >= _NEWS_EVERY:
            told = time.monotonic()
            note(f"{number} of {total} copies ...")
        yield size

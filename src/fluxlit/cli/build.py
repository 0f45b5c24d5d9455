"""``fluxlit build``."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fluxlit import _env
from fluxlit.cli.output import note, out
from fluxlit.exceptions import StartupError

if TYPE_CHECKING:
    from fluxlit.frontend.cache import CopyCache, Job

_NEWS_EVERY: Final = 2.0
"""Seconds between two lines of progress."""


def build(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one line of JSON.")
    ] = False,
) -> None:
    """Make the compressed copies of the UI's files ahead, as for a container image.

    They go to FLUXLIT_CACHE_DIR, else to your cache folder, where a service looks for them; one
    that finds none makes them in the background.

    Example: FLUXLIT_CACHE_DIR=/opt/fluxlit fluxlit build
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
    result = {"directory": str(cache.directory), "made": len(jobs), "bytes": size}
    if as_json:
        out(json.dumps({**result, "seconds": seconds}))
    else:
        note(f"{len(jobs)} copies ({size / 1e6:.1f} MB) made in {seconds} s: {cache.directory}")


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

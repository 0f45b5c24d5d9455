"""Pages that follow edits: what the process of a UI watches while its code is being written."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from fluxlit.runtime.edits import Watch
from fluxlit.runtime.watching import Need, sources_of
from fluxlit.workers.server import Job
from fluxlit.workers.ui_plan import UIPlan

if TYPE_CHECKING:
    from fluxlit._streamlit.sources import SourceEdits


def followed(plan: UIPlan, *, since: float) -> tuple[UIPlan, list[Job]]:
    """Return the plan of a UI that follows edits, and the job that watches; as given if none does.

    Args:
        plan: The plan.
        since: When the process began, in seconds of :func:`time.time`.
    """
    spec = plan.spec
    if not spec.reload:
        return plan, []
    from fluxlit._streamlit.sources import SourceEdits  # noqa: PLC0415 - brings Streamlit

    sources = sources_of(spec.target, spec.reload_dirs)
    edits = SourceEdits(sources.own)
    return replace(plan, edits=edits), [partial(_follow, Watch(sources, since=since), edits)]


async def _follow(watch: Watch, edits: SourceEdits) -> None:
    """Tell the open pages of each edit of code; for one of settings a successor is on its way."""
    async with aclosing(watch.edits()) as found:
        async for edit in found:
            if edit.need is Need.GATEWAY:
                await asyncio.to_thread(edits.happened, [str(path) for path in edit.paths])

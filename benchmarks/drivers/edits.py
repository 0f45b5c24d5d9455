"""How long an edit of the API's code takes to be live, in servers that reload by themselves."""

from __future__ import annotations

import asyncio
import http.client
import statistics
import time
from pathlib import Path

from benchmarks.drivers.load import Address, WrongAnswerError, get

FILE = "edited.py"
EDITS = 4
_PAUSE_SECONDS = 1.5
_PATIENCE_SECONDS = 30.0
_ASK_SECONDS = 0.005

FASTAPI = """\
from benchmarks.apps.api import add_routes
from fastapi import FastAPI

app = api = add_routes(FastAPI())
"""

FLUXLIT = """\
from benchmarks.apps.api import add_routes
from benchmarks.apps.pages import chosen_page
from fluxlit import FluxLit

app = FluxLit(title="Benchmark")
api = add_routes(app.api)
app.page("/", title="Home")(chosen_page())
"""

_EDITION = """
@api.get("/edition")
async def edition() -> int:
    return {number}
"""


async def latency(address: Address, path: str, directory: Path) -> dict[str, float]:
    """Edit the app some times; return the median seconds from a write to its first answer.

    Args:
        address: Where the server is.
        path: Of the API.
        directory: Where its code is.

    Raises:
        WrongAnswerError: An edit was not live in time.
    """
    file = directory / FILE
    code = file.read_text().partition("\n@api")[0]
    taken = []
    for _ in range(EDITS):
        await asyncio.sleep(_PAUSE_SECONDS)
        number = time.monotonic_ns()
        began = time.perf_counter()
        file.write_text(code + _EDITION.format(number=number))
        while _edition(address, path) != str(number).encode():
            if time.perf_counter() - began > _PATIENCE_SECONDS:
                msg = f"an edit was not live within {_PATIENCE_SECONDS:.0f} s"
                raise WrongAnswerError(msg)
            await asyncio.sleep(_ASK_SECONDS)
        taken.append(time.perf_counter() - began)
    seconds = statistics.median(taken)
    return {"seconds": seconds, "live": seconds}


def _edition(address: Address, path: str) -> bytes:
    try:
        return get(address, f"{path}/edition")[1]
    except (OSError, http.client.HTTPException):  # a server that reloads may refuse
        return b""

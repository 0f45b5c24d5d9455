"""A second server beside the one that is already running, for the pages' private socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextvars import ContextVar, copy_context
from typing import Final

import uvicorn
import uvicorn.server

from fluxlit._types import ASGIApp
from fluxlit.exceptions import StartupError
from fluxlit.workers.server import WorkerServer
from fluxlit.workers.sockets import bind_unix

GRACE: Final = 5
"""Seconds that pages' calls in flight get at the end, when nobody is left to wait for them."""


class Unheard(logging.Filter):
    """Keeps a server beside another one from telling its start and end as if it were the service.

    Only what Uvicorn's server narrates inside :attr:`here` is held back; warnings, errors and
    whatever the user's code logs pass.
    """

    here: Final = ContextVar("here", default=False)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be heard."""
        narrated = record.levelno < logging.WARNING and record.pathname == uvicorn.server.__file__
        return not (narrated and self.here.get())


@contextlib.asynccontextmanager
async def private_server(app: ASGIApp, path: str) -> AsyncIterator[None]:
    """Serve an app on a private Unix socket beside the server that is already running."""
    ready = asyncio.Event()
    unheard, context = Unheard(), copy_context()
    context.run(unheard.here.set, True)
    config = uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = WorkerServer(config, ready.set)
    log = logging.getLogger("uvicorn.error")
    log.addFilter(unheard)
    serving = asyncio.create_task(server.serve([bind_unix(path)]), context=context)
    try:
        await _until_ready(ready, serving)
        yield
    finally:
        server.drain()
        await serving
        log.removeFilter(unheard)


async def _until_ready(ready: asyncio.Event, serving: asyncio.Task[None]) -> None:
    waiting = asyncio.ensure_future(ready.wait())
    try:
        await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if serving.done():
        serving.result()
        msg = "the private socket's server ended before it served"
        raise StartupError(msg, remedy="see its output above")

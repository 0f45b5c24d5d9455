"""A second server beside the one that is already running: for private sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Final

import uvicorn
import websockets

from fluxlit._types import ASGIApp
from fluxlit.exceptions import StartupError
from fluxlit.workers.server import WorkerServer

GRACE: Final = 5
"""Seconds that pages' calls in flight get at the end, when nobody is left to wait for them."""


_NARRATORS: Final = tuple(str(Path(str(it.__file__)).parent) for it in (uvicorn, websockets))


class Unheard(logging.Filter):
    """Keeps a server beside another one from telling its start and end as if it were the service.

    Only what its libraries narrate inside :attr:`here` is held back; warnings, errors and
    whatever the user's code logs pass.
    """

    here: Final = ContextVar("here", default=False)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be heard."""
        narrated = record.levelno < logging.WARNING and record.pathname.startswith(_NARRATORS)
        return not (narrated and self.here.get())


@contextlib.asynccontextmanager
async def private_server(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve an app on a private socket beside the server that is already running.

    Args:
        app: The app.
        sock: The socket; it is closed at the end.
    """
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
    ready = asyncio.Event()
    async with beside(WorkerServer(config, ready.set), [sock], ready):
        yield


@contextlib.asynccontextmanager
async def beside(
    server: WorkerServer, sockets: list[socket.socket], ready: asyncio.Event
) -> AsyncIterator[None]:
    """Run a server beside the one that is already running, and drain it at the end.

    Args:
        server: The server.
        sockets: Where it listens; they are closed at the end.
        ready: Set by the server as soon as it serves.

    Raises:
        StartupError: It ended before it served.
    """
    unheard, context = Unheard(), copy_context()
    context.run(unheard.here.set, True)
    log = logging.getLogger("uvicorn.error")
    log.addFilter(unheard)
    serving = asyncio.create_task(server.serve(sockets), context=context)
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
        msg = "a private server beside the service's own ended before it served"
        raise StartupError(msg, remedy="see its output above")

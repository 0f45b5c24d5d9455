"""One ASGI app and one lifespan over gateway, UI and API."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import traceback
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, Final

import uvicorn

from fluxlit import _env
from fluxlit._types import ASGIApp, Message, Receive, Scope, Send
from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.upstream import Upstream
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.pool import WorkerPool
from fluxlit.workers.private import private_server
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.rundir import RunDirectory, api_socket, base_directory, ui_socket
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit")

STOP_GRACE: Final = 5.0
"""Seconds that a UI worker has to end after the last request was served."""

State = MutableMapping[str, Any]
"""What the API's lifespan yields, for its requests to find as ``request.state``."""

Resource = Callable[[State], AbstractAsyncContextManager[object]]
"""Something the service needs from before its first request until after its last."""


class UnifiedApp:
    """The whole service as one ASGI app.

    Args:
        api: The API, whose own lifespan runs inside this one's.
        gateway: Decides and serves every request.
        resources: Entered in order before the API starts, left in reverse after it stopped.

    Attributes:
        failure: Why the start failed, once it did.
    """

    def __init__(self, api: ASGIApp, gateway: Gateway, resources: Sequence[Resource] = ()) -> None:
        self._api = api
        self._gateway = gateway
        self._resources = resources
        self.failure: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._gateway(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        phase = "startup"
        try:
            async with AsyncExitStack() as stack:
                for resource in self._resources:
                    await stack.enter_async_context(resource(scope.setdefault("state", {})))
                await stack.enter_async_context(self._gateway_client())
                await stack.enter_async_context(api_lifespan(self._api, scope))
                await send({"type": "lifespan.startup.complete"})
                phase = "shutdown"
                await receive()
        except Exception as exc:  # noqa: BLE001 - whatever it is, the server is told and ends
            self.failure = exc
            await send({"type": f"lifespan.{phase}.failed", "message": _told(exc)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _gateway_client(self) -> AsyncIterator[None]:
        await self._gateway.startup()
        try:
            yield
        finally:
            await self._gateway.aclose()


def _told(exc: Exception) -> str:
    """Return what a foreign server logs: the user's own error in full, as it would without us."""
    cause = "".join(traceback.format_exception(exc.__cause__)) if exc.__cause__ else ""
    remedy = exc.remedy if isinstance(exc, FluxLitError) else ""
    return "\n".join(part for part in (cause, str(exc), remedy) if part)


@contextlib.asynccontextmanager
async def api_lifespan(api: ASGIApp, scope: Scope) -> AsyncIterator[None]:
    """Run an ASGI app's own lifespan around a block.

    An app that does not speak the lifespan protocol is served without, as the specification
    asks (https://asgi.readthedocs.io/en/latest/specs/lifespan.html).

    Args:
        api: The app.
        scope: The server's lifespan scope, whose ``state`` the app may fill.

    Raises:
        StartupError: The app said that it cannot start.
    """
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(_run_lifespan(api, scope, to_app.get, from_app.put))
    to_app.put_nowait({"type": "lifespan.startup"})
    try:
        answer = await _answer(running, from_app)
    except asyncio.CancelledError:  # it never answered, and the server has been asked to end
        running.cancel()
        raise
    if answer is not None and answer["type"] == "lifespan.startup.failed":
        cause = await running
        reason = f"{type(cause).__name__}: {cause}" if cause else answer.get("message", "")
        msg = f"the API did not start: {reason}"
        raise StartupError(msg, remedy="its lifespan raised this; correct it there") from cause
    try:
        yield
    finally:
        to_app.put_nowait({"type": "lifespan.shutdown"})
        cause = await running
        if answer is not None and cause is not None:
            _LOG.error("the API's shutdown failed", exc_info=cause)


async def _run_lifespan(
    api: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> BaseException | None:
    """Run the app's lifespan to its end; return what it raised."""
    try:
        await api(scope, receive, send)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - an answer: "unsupported" or "failed"
        return exc
    return None


async def _answer(
    running: asyncio.Future[BaseException | None], from_app: asyncio.Queue[Message]
) -> Message | None:
    """Wait for the app's answer to the startup message; None if it ends without one."""
    answer = asyncio.ensure_future(from_app.get())
    waited: set[asyncio.Future[Any]] = {running, answer}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        answer.cancel()


class LocalUpstreams:
    """The UI workers of one run directory, as the gateway sees them.

    Attributes:
        directory: The run directory; None until there is one.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory

    def select(self, scope: Scope) -> Upstream:  # noqa: ARG002 - one worker needs no choice
        """Return the worker that serves a request."""
        folder = self.directory or Path("/nonexistent")
        return Upstream(name="ui-0", socket_path=ui_socket(folder, 0))


class Sidecar:
    """The UI worker of an app that a foreign server runs: ``uvicorn app:app``.

    Args:
        spec: What the UI worker is told; the run directory is filled in here.
        upstreams: Told of the run directory as soon as there is one.
        private: The app that pages reach over the private socket.
    """

    def __init__(self, spec: WorkerSpec, upstreams: LocalUpstreams, private: ASGIApp) -> None:
        self._spec = spec
        self._upstreams = upstreams
        self._private = private

    @contextlib.asynccontextmanager
    async def __call__(self, state: State) -> AsyncIterator[None]:
        """Start the UI worker and the private socket; stop both at the end.

        Args:
            state: What the API's lifespan yields, once it has; for requests on the private socket.
        """
        refuse_several_workers()
        with RunDirectory(base_directory(os.environ)) as directory:
            spec = self._spec.in_directory(directory.path)
            pool = WorkerPool(1, lambda slot: _launch_ui(spec.for_slot(slot)))
            self._upstreams.directory = directory.path
            private = WithState(self._private, state)
            async with private_server(private, api_socket(directory.path)):
                await pool.start()
                keeper = asyncio.create_task(_keep(pool))
                try:
                    yield
                finally:
                    keeper.cancel()
                    await pool.stop(STOP_GRACE)


async def _keep(pool: WorkerPool) -> None:
    """Keep the UI worker alive; the API stays if the UI keeps dying, and readiness says so."""
    try:
        await pool.keep()
    except StartupError as exc:
        _LOG.critical("the UI is down until this server is started again: %s", exc)


async def _launch_ui(spec: WorkerSpec) -> WorkerProcess:
    return await launch(WorkerProcess(WorkerKind.UI, spec))


class WithState:
    """An app whose requests find the state of a lifespan that another server runs.

    Args:
        app: The app.
        state: The lifespan's state.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope; each gets a copy, as the server's own requests do."""
        await self._app({**scope, "state": dict(self._state)}, receive, send)


def refuse_several_workers() -> None:
    """Refuse to run as one of several Uvicorn workers, each of which would run a UI of its own.

    Raises:
        StartupError: This process is one of several.
    """
    workers = uvicorn_workers()
    if workers > 1 and not _env.is_truthy(os.environ.get(_env.ALLOW_UNIFIED_MULTIWORKER)):
        msg = f"uvicorn --workers {workers} would start {workers} UIs that do not know each other"
        remedy = (
            f"use `fluxlit run --workers {workers}`, or set {_env.ALLOW_UNIFIED_MULTIWORKER}=1"
            " if that is what you want"
        )
        raise StartupError(msg, remedy=remedy)


def uvicorn_workers() -> int:
    """Return how many workers the Uvicorn around this process runs; 1 when it cannot be told.

    Uvicorn hands its configuration to each worker as an argument of the process object
    (uvicorn/_subprocess.py); there is no public way to ask.
    """
    config = getattr(multiprocessing.current_process(), "_kwargs", {}).get("config")
    if not isinstance(config, uvicorn.Config) or config.reload:  # which runs one, whatever is set
        return 1
    return config.workers

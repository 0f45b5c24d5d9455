"""One ASGI app and one lifespan over gateway and API."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final

from fluxlit._types import ASGIApp, Message, Receive, Scope, Send
from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.gateway.gateway import Gateway

_LOG: Final = logging.getLogger("fluxlit")

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

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one ASGI scope; a request costs no coroutine of its own here."""
        serve = self._lifespan if scope["type"] == "lifespan" else self._gateway
        return serve(scope, receive, send)

    @property
    def internal(self) -> ASGIApp:
        """The API alone, for a private door."""
        return self._gateway.internal

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
            await send({"type": f"lifespan.{phase}.failed", "message": told(exc)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _gateway_client(self) -> AsyncIterator[None]:
        await self._gateway.startup()
        try:
            yield
        finally:
            await self._gateway.aclose()


async def tell_failed_start(exc: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Tell a server that there is no app to serve.

    Raised from a lifespan it would mean that there is no lifespan, and the server would go on.

    Raises:
        Exception: The given one, where the server asks for something else.
    """
    if scope["type"] != "lifespan":
        raise exc
    await receive()
    await send({"type": "lifespan.startup.failed", "message": told(exc)})


def told(exc: Exception) -> str:
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
        remedy = "its lifespan raised this; correct it there"
        raise StartupError(msg, remedy=remedy, by_app=True) from cause
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

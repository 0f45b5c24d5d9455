from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from fluxlit._types import Message, Receive, Scope, Send
from fluxlit.app import FluxLit
from fluxlit.exceptions import StartupError
from fluxlit.fleet import Fleet
from fluxlit.unified import UnifiedApp, api_lifespan

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def scope() -> Scope:
    return {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(main())


def recording(
    log: list[str], *, startup: Exception | None = None, shutdown: Exception | None = None
) -> FastAPI:
    """An API that notes its life, and fails where it is told to."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        if startup is not None:
            raise startup
        log.append("up")
        yield {"db": "sqlite"}
        log.append("down")
        if shutdown is not None:
            raise shutdown

    return FastAPI(lifespan=lifespan)


def test_the_apis_life_goes_around_the_block_and_fills_the_state() -> None:
    log: list[str] = []

    async def scenario() -> None:
        served = scope()
        async with api_lifespan(recording(log), served):
            log.append("serving")
            assert served["state"] == {"db": "sqlite"}

    run(scenario)
    assert log == ["up", "serving", "down"]


def test_an_app_without_lifespans_is_served_without() -> None:
    async def refuses(scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError(scope["type"])

    async def returns(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    async def scenario() -> None:
        entered = 0
        for app in (refuses, returns):
            async with api_lifespan(app, scope()):
                entered += 1
        assert entered == 2

    run(scenario)


@pytest.mark.parametrize("error", [RuntimeError("no database"), SystemExit(4)])
def test_a_startup_that_raises_is_told_with_its_cause(error: Any) -> None:
    async def scenario() -> None:
        with pytest.raises(StartupError, match="the API did not start") as caught:
            async with api_lifespan(recording([], startup=error), scope()):
                raise AssertionError("served all the same")
        assert caught.value.__cause__ is error
        assert f"{type(error).__name__}: {error}" in str(caught.value)

    run(scenario)


def test_a_startup_that_says_why_in_the_protocol_is_told_too() -> None:
    async def failing(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no licence"})

    async def scenario() -> None:
        with pytest.raises(StartupError, match="no licence"):
            async with api_lifespan(failing, scope()):
                raise AssertionError("served all the same")

    run(scenario)


def test_a_shutdown_that_raises_is_logged_and_does_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[str] = []

    async def scenario() -> None:
        async with api_lifespan(recording(log, shutdown=RuntimeError("late")), scope()):
            pass

    run(scenario)
    assert log == ["up", "down"]
    assert "the API's shutdown failed" in caplog.text
    assert "RuntimeError: late" in caplog.text


def test_an_app_that_never_answers_can_be_cancelled_and_leaves_no_task() -> None:
    ended: list[str] = []

    async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def enter() -> None:
        async with api_lifespan(silent, scope()):
            raise AssertionError("served all the same")

    async def scenario() -> None:
        starting = asyncio.ensure_future(enter())
        await asyncio.sleep(0.01)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await asyncio.sleep(0)
        assert ended == ["cancelled"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario)


class Server:
    """Speaks the lifespan protocol with an app, as a server does."""

    def __init__(self, app: App) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.scope = scope()
        self._app = app

    async def ask(self, phase: str) -> Message:
        if phase == "startup":
            self.running = asyncio.ensure_future(
                self._app(self.scope, self._to_app.get, self._from_app.put)
            )
        await self._to_app.put({"type": f"lifespan.{phase}"})
        return await self._from_app.get()


def unified(api: FastAPI, *resources: Any) -> UnifiedApp:
    gateway = FluxLit(api=api)._gateway(Fleet(secret="s"))
    return UnifiedApp(api, gateway, resources)


def noted(log: list[str], name: str, *, leave: Exception | None = None) -> Any:
    @asynccontextmanager
    async def resource(_state: object) -> AsyncIterator[None]:
        log.append(f"enter {name}")
        try:
            yield
        finally:
            log.append(f"leave {name}")
            if leave is not None:
                raise leave

    return resource


def test_resources_are_entered_before_the_api_and_left_in_reverse_after_it() -> None:
    log: list[str] = []

    async def scenario() -> None:
        server = Server(unified(recording(log), noted(log, "ui"), noted(log, "cache")))
        assert await server.ask("startup") == {"type": "lifespan.startup.complete"}
        assert await server.ask("shutdown") == {"type": "lifespan.shutdown.complete"}
        await server.running

    run(scenario)
    assert log == ["enter ui", "enter cache", "up", "down", "leave cache", "leave ui"]


def test_an_api_that_does_not_start_leaves_no_resource_open() -> None:
    log: list[str] = []

    async def scenario() -> None:
        app = unified(recording(log, startup=RuntimeError("no database")), noted(log, "ui"))
        answer = await Server(app).ask("startup")
        assert answer["type"] == "lifespan.startup.failed"
        assert "RuntimeError: no database" in answer["message"]
        assert isinstance(app.failure, StartupError)

    run(scenario)
    assert log == ["enter ui", "leave ui"]


def test_what_fails_at_the_end_is_reported_as_a_failed_end() -> None:
    async def scenario() -> None:
        server = Server(unified(FastAPI(), noted([], "ui", leave=RuntimeError("stuck"))))
        assert (await server.ask("startup"))["type"] == "lifespan.startup.complete"
        assert await server.ask("shutdown") == {
            "type": "lifespan.shutdown.failed",
            "message": "stuck",
        }

    run(scenario)

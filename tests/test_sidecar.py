from __future__ import annotations

import asyncio
import multiprocessing
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

from fluxlit._types import Receive, Scope, Send
from fluxlit.config import FluxlitSettings
from fluxlit.sidecar import (
    WithState,
    locate,
    refuse_several_workers,
    uvicorn_workers,
)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(main())


def test_each_request_on_the_private_socket_gets_a_copy_of_the_state() -> None:
    state = {"db": "sqlite"}
    seen: list[object] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["state"]["mine"] = True
        seen.append(scope["state"])

    async def scenario() -> None:
        with_state: Any = WithState(app, state)
        await with_state({"type": "http"}, None, None)

    run(scenario)
    assert seen == [{"db": "sqlite", "mine": True}]
    assert state == {"db": "sqlite"}


def test_outside_of_uvicorn_there_is_one_worker() -> None:
    assert multiprocessing.parent_process() is None
    assert uvicorn_workers() == 1
    refuse_several_workers(FluxlitSettings())


def test_an_object_is_located_in_an_imported_module_before_the_main_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, script = ModuleType("desk_for_locating"), ModuleType("__main__")
    script.__file__ = "/srv/desk.py"
    module.service = script.app = target = object()  # type: ignore[attr-defined]
    assert locate(target) is None
    monkeypatch.setitem(sys.modules, "__main__", script)
    assert locate(target) == "/srv/desk.py:app"
    monkeypatch.setitem(sys.modules, "__mp_main__", script)  # as `import multiprocessing` leaves it
    monkeypatch.setitem(sys.modules, "blocked_on_purpose", None)
    assert locate(target) == "/srv/desk.py:app"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert locate(target) == "desk_for_locating:service"

"""Liveness and readiness: two small routes on the API, and who is asked for the second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking the UI.

    Attributes:
        ok: It answered and is well.
        detail: What is wrong, for an operator; empty when nothing is.
    """

    ok: bool
    detail: str = ""


Prober = Callable[[], Awaitable[Probe]]


class Readiness:
    """Whether the whole service can serve; the UI's side is asked through :attr:`prober`."""

    def __init__(self) -> None:
        self.prober: Prober | None = None

    async def __call__(self) -> JSONResponse:
        """Answer ``GET readyz``: 200 when the UI is well or not part of this process, else 503."""
        if self.prober is None:
            return JSONResponse({"status": "ready", "streamlit": "not_configured"})
        probe = await self.prober()
        if probe.ok:
            return JSONResponse({"status": "ready", "streamlit": "ok"})
        return JSONResponse({"status": "not_ready", "detail": probe.detail}, status_code=503)


async def healthz() -> JSONResponse:
    """Answer ``GET healthz``: this process serves."""
    return JSONResponse({"status": "ok"})


def add_health_routes(api: FastAPI, readiness: Readiness) -> None:
    """Put both routes in front of the API's own, except where the API has one already.

    In front, because an adopted API may end in a mount at ``/`` that would swallow them. They are
    not part of the OpenAPI document.
    """
    router = APIRouter(include_in_schema=False)
    for path, endpoint in ((HEALTH_PATH, healthz), (READY_PATH, readiness.__call__)):
        if not any(_answers(route, path) for route in api.router.routes):
            router.add_api_route(path, endpoint, methods=["GET", "HEAD"])
    api.router.routes[:0] = router.routes


def _answers(route: BaseRoute, path: str) -> bool:
    """Tell whether a route was made for just this path; a mount that takes anything was not."""
    if getattr(route, "path", None) != path:
        return False
    match, _ = route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
    return match is Match.FULL

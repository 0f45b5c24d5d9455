"""Liveness, readiness and reflection: small routes on the API, and who is asked for the second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

from fluxlit.reflection import REFLECTION_PATH, reflect

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
        self.routes: list[BaseRoute] = []

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
    """Put the routes behind the API's own, or move them there if they are in it already.

    Behind, because routes are tried in order and these are the last that a user's request wants.
    Where an earlier route takes every path (a mount at ``/``), they go in front of all instead; a
    route of the API's own for the same path is left alone. They are not in the OpenAPI document.
    """
    api.router.routes[:] = [route for route in api.router.routes if route not in readiness.routes]
    router = APIRouter(include_in_schema=False)
    in_front = False
    ours = ((HEALTH_PATH, healthz), (READY_PATH, readiness.__call__), (REFLECTION_PATH, reflect))
    for path, endpoint in ours:
        taking = [route for route in api.router.routes if _takes(route, path)]
        if not any(getattr(route, "path", None) == path for route in taking):
            router.add_api_route(path, endpoint, methods=["GET", "HEAD"])
            in_front = in_front or bool(taking)
    readiness.routes = list(router.routes)
    at = 0 if in_front else len(api.router.routes)
    api.router.routes[at:at] = readiness.routes


def _takes(route: BaseRoute, path: str) -> bool:
    """Tell whether a route answers a path."""
    match, _ = route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
    return match is Match.FULL

"""Liveness, readiness and reflection: small routes on the API, and who is asked for the second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

from fluxlit._types import JsonValue
from fluxlit.reflection import REFLECTION_PATH, reflect

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking one UI worker.

    Attributes:
        name: What it is called.
        ok: It answered and is well.
        detail: What is wrong, for an operator; empty when nothing is.
    """

    name: str
    ok: bool
    detail: str = ""


Prober = Callable[[], Awaitable[Sequence[Probe]]]


class Readiness:
    """Whether the whole service can serve; the UI's side is asked through :attr:`prober`."""

    def __init__(self) -> None:
        self.prober: Prober | None = None
        self.routes: list[BaseRoute] = []

    async def __call__(self) -> JSONResponse:
        """Answer ``GET readyz``: 200 when the UI can serve or is not part of this process."""
        if self.prober is None:
            return JSONResponse({"status": "ready", "streamlit": "not_configured"})
        status, body = verdict(await self.prober())
        return JSONResponse(body, status_code=status)


def verdict(probes: Sequence[Probe]) -> tuple[int, dict[str, JsonValue]]:
    """Decide from all UI workers whether the service is ready.

    Returns:
        HTTP status and answer: ``ready``, ``degraded`` (200, some workers are down: the others
        serve everybody) or ``not_ready`` (503).
    """
    failed = [probe for probe in probes if not probe.ok]
    workers: list[JsonValue] = [
        {"name": probe.name, "status": "ok"}
        if probe.ok
        else {"name": probe.name, "status": "down", "detail": probe.detail}
        for probe in probes
    ]
    detail = "; ".join(f"{probe.name}: {probe.detail}" for probe in failed)
    if len(failed) == len(probes):
        told = detail or "there is no UI worker yet"
        return 503, {"status": "not_ready", "detail": told, "workers": workers}
    if failed:
        body = {"status": "degraded", "streamlit": "ok", "detail": detail}
        return 200, {**body, "workers": workers}
    return 200, {"status": "ready", "streamlit": "ok", "workers": workers}


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
        taking = [route for route in api.router.routes if takes(route, path)]
        if not any(getattr(route, "path", None) == path for route in taking):
            router.add_api_route(path, endpoint, methods=["GET", "HEAD"])
            in_front = in_front or bool(taking)
    readiness.routes = list(router.routes)
    at = 0 if in_front else len(api.router.routes)
    api.router.routes[at:at] = readiness.routes


def takes(route: BaseRoute, path: str) -> bool:
    """Tell whether a route answers a GET of a path."""
    match, _ = route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
    return match is Match.FULL

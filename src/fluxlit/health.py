"""Liveness, readiness, the workers and reflection: small routes on the API, and who is asked.

Whoever can reach the API may ask whether it is well. What an operator needs beyond that (process
ids, memory, how many visitors there are) is told on the private socket, and elsewhere only if a
setting says so.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

from fluxlit import _env
from fluxlit._headers import KEY
from fluxlit._types import JsonValue, Scope
from fluxlit.reflection import REFLECTION_PATH, reflect

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
WORKERS_PATH = "/healthz/workers"

STARTING: Final = "starting"
DRAINING: Final = "draining"

_FRESH: Final = {"cache-control": "no-store"}

STREAMLIT_HEALTH_PATH = "/_stcore/health"


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


class Door(Protocol):
    """The gateway that serves the API."""

    async def probe(self) -> Sequence[Probe]:
        """Ask every UI worker whether it is well."""

    def is_internal(self, scope: Scope) -> bool:
        """Tell whether a request came in by the private socket."""


class Service(Protocol):
    """The service that the gateway is part of."""

    def phase(self) -> str:
        """Return where it is in its life: starting, ready or draining; empty if there is none."""

    def describe(self) -> dict[str, JsonValue]:
        """Return what an operator may know of it and its workers."""


class Readiness:
    """Whether the whole service can serve, and how its workers are."""

    def __init__(self) -> None:
        self.prober: Prober | None = None
        self.routes: list[BaseRoute] = []
        self._service: Service | None = None
        self._may_ask: Callable[[Scope], bool] = lambda _: False

    def watch(self, door: Door, service: Service, *, told_to_all: bool) -> None:
        """Ask a service from now on.

        Args:
            door: Its gateway.
            service: It.
            told_to_all: Whether everybody who asks is told of the workers.
        """
        self.prober, self._service = door.probe, service
        self._may_ask = (lambda _: True) if told_to_all else door.is_internal

    async def __call__(self) -> JSONResponse:
        """Answer ``GET readyz``: 200 when the UI can serve or is not part of this process."""
        if self.prober is None:
            return JSONResponse({"status": "ready", "streamlit": "not_configured"})
        phase = self._service.phase() if self._service else ""
        if phase == DRAINING:
            ending = {"status": DRAINING, "detail": "the service is ending"}
            return JSONResponse(ending, 503, _FRESH)
        status, body = verdict(await self.prober(), starting=phase == STARTING)
        return JSONResponse(body, status, _FRESH)

    async def workers(self, request: Request) -> JSONResponse:
        """Answer ``GET healthz/workers`` to those who may ask; for others there is no such path."""
        if self._service is None or not self._may_ask(request.scope):
            return JSONResponse({"detail": "Not Found"}, 404)
        return JSONResponse(self._service.describe(), headers=_FRESH)


def verdict(probes: Sequence[Probe], *, starting: bool = False) -> tuple[int, dict[str, JsonValue]]:
    """Decide from all UI workers whether the service is ready.

    Args:
        probes: What came of asking them.
        starting: Whether the service has not been ready yet.

    Returns:
        HTTP status and answer: ``ready``, ``degraded`` (200, some workers are down: the others
        serve everybody), or 503 with ``starting`` or ``not_ready``.
    """
    failed = [probe for probe in probes if not probe.ok]
    workers: list[JsonValue] = [
        {"name": probe.name, "status": "ok"}
        if probe.ok
        else {"name": probe.name, "status": "down", "detail": probe.detail}
        for probe in probes
    ]
    detail = "; ".join(f"{probe.name}: {probe.detail}" for probe in failed)
    if starting or len(failed) == len(probes):
        nobody = "not every worker has been ready yet" if probes else "there is no UI worker yet"
        told = detail or nobody
        status = STARTING if starting else "not_ready"
        return 503, {"status": status, "detail": told, "workers": workers}
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
    ours = (
        (HEALTH_PATH, healthz),
        (READY_PATH, readiness.__call__),
        (WORKERS_PATH, readiness.workers),
        (REFLECTION_PATH, reflect),
    )
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


class Place(Protocol):
    """Says where a UI is; an app's settings do."""

    streamlit_upstream: list[str]

    def upstream_key(self) -> str:
        """Return what opens the servers, ``""`` where nothing does."""

    def public_mount_path(self) -> str:
        """Return the public path of the whole app, ``""`` for the root."""

    def ui_base(self) -> str:
        """Return the UI's path under the mount, ``""`` for none."""


async def probe_streamlit_ready(
    *, timeout_s: float = 0.5, upstream: str | None = None, settings: Place | None = None
) -> tuple[bool, str]:
    """Ask Streamlit servers that have addresses of their own whether one of them is ready.

    FluxLit's own UI workers have none; ``GET readyz`` tells of those.

    Args:
        timeout_s: Seconds to wait for an answer.
        upstream: A server's URL, such as ``"http://127.0.0.1:8501"``; None for the setting
            ``streamlit_upstream``. Without any there is nothing to ask, and nothing that is not
            ready.
        settings: Those of an app, whose servers they are and whose path they may serve under;
            without them the variable ``FLUXLIT_STREAMLIT_UPSTREAM`` counts.

    Returns:
        Whether one is ready, and ``"ok"``, ``"not_configured"``, or what is wrong with the last.

    Example:
        >>> import asyncio
        >>> asyncio.run(probe_streamlit_ready(upstream=""))
        (True, 'not_configured')
    """
    if upstream is not None:
        said = [upstream]
    elif settings is not None:
        said = settings.streamlit_upstream
    else:
        said = os.environ.get(_env.STREAMLIT_UPSTREAM, "").split(",")
    mount = settings.public_mount_path() + settings.ui_base() if settings else ""
    paths = [path + STREAMLIT_HEALTH_PATH for path in dict.fromkeys(("", mount))]
    # Nobody else is shown what opens the servers of the settings.
    key = settings.upstream_key() if settings is not None and upstream is None else ""
    answer = True, "not_configured"
    for base in [url.strip().rstrip("/") for url in said if url.strip()]:
        answer = await _probe(base, paths, timeout_s, key)
        if answer[0]:
            break
    return answer


async def _probe(
    base: str, paths: Sequence[str], timeout_seconds: float, key: str
) -> tuple[bool, str]:
    """Return whether one of the paths answers with a success."""
    if urlsplit(base).scheme not in {"http", "https"}:
        return False, "the upstream is not an http or https URL"
    import httpx2  # noqa: PLC0415 - the readiness of our own workers needs none of it

    refused: list[str] = []
    headers = {KEY.decode(): key} if key else {}
    async with httpx2.AsyncClient(
        timeout=timeout_seconds, trust_env=False, headers=headers
    ) as client:
        for path in paths:
            try:
                answer = await client.get(base + path)
            except httpx2.HTTPError as exc:
                return False, str(exc) or type(exc).__name__
            if answer.is_success:
                return True, "ok"
            refused.append(f"{path}:{answer.status_code}")
    return False, f"upstream_http_failed {';'.join(refused)}"

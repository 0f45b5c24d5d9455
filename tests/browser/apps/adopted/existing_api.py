"""A FastAPI application as one finds it, with a lifespan, a middleware and a mounted app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.opened = True
    yield


api = FastAPI(title="Warehouse API", lifespan=lifespan)
reports = FastAPI()
api.mount("/reports", reports)


@api.middleware("http")
async def sign(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["X-Warehouse"] = "signed"
    return response


@api.get("/opened")
async def opened(request: Request) -> bool:
    return bool(request.app.state.opened)


@reports.get("/daily")
async def daily() -> str:
    return "nothing to report"

"""The API: one small JSON answer, from a coroutine.

A plain function would run in FastAPI's thread pool, whose cost and jitter are large and the same
for all, and would make every gateway look cheaper than it is.

``app`` is what the bare contestant serves; the others mount the same routes under ``/api``.
"""

from __future__ import annotations

from fastapi import FastAPI

USERS: list[dict[str, str | int]] = [{"name": "Ada", "age": 36}, {"name": "Grace", "age": 45}]


def add_routes(api: FastAPI) -> FastAPI:
    """Add the benchmark's routes to ``api`` and return it."""

    @api.get("/users")
    async def users() -> list[dict[str, str | int]]:
        return USERS

    return api


app = add_routes(FastAPI())

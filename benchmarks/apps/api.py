"""The API: one small JSON answer.

``app`` is what the bare contestant serves; the others mount the same routes under ``/api``.
"""

from __future__ import annotations

from fastapi import FastAPI

USERS: list[dict[str, str | int]] = [{"name": "Ada", "age": 36}, {"name": "Grace", "age": 45}]


def add_routes(api: FastAPI) -> FastAPI:
    """Add the benchmark's routes to ``api`` and return it."""

    @api.get("/users")
    def users() -> list[dict[str, str | int]]:
        return USERS

    return api


app = add_routes(FastAPI())

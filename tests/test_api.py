from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount

from fluxlit.api import arrange_routes
from fluxlit.health import Readiness

MINE = PlainTextResponse("mine")


def paths(api: FastAPI) -> list[str]:
    return [getattr(route, "path", "") for route in api.router.routes]


def make_api() -> FastAPI:
    api = FastAPI()
    api.add_api_route("/users", lambda: ["Ada"])
    return api


def test_what_users_ask_for_is_tried_before_documentation_and_health() -> None:
    api = make_api()
    arrange_routes(api, Readiness())
    assert paths(api)[0] == "/users"
    client = TestClient(api)
    for path in ("/users", "/docs", "/redoc", "/docs/oauth2-redirect", "/healthz", "/readyz"):
        assert client.get(path).status_code == 200
    assert set(client.get("/openapi.json").json()["paths"]) == {"/users"}


def test_it_is_the_same_the_second_time() -> None:
    api, readiness = make_api(), Readiness()
    arrange_routes(api, readiness)
    first = paths(api)
    arrange_routes(api, readiness)
    assert paths(api) == first


@pytest.mark.parametrize(
    "add",
    [
        lambda api: api.router.routes.append(Mount("/", app=MINE)),
        lambda api: api.router.routes.append(Host("testserver", app=MINE)),
        lambda api: api.add_api_route("/{name}", lambda name: f"mine: {name}"),
    ],
    ids=["mount", "host", "parameter"],
)
def test_documentation_stays_before_what_would_take_its_place(
    add: Callable[[FastAPI], None],
) -> None:
    api = make_api()
    add(api)
    arrange_routes(api, Readiness())
    client = TestClient(api)
    assert "swagger" in client.get("/docs").text.lower()
    assert "mine" in client.get("/other").text

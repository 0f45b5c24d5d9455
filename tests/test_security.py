from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from starlette.requests import Request

from fluxlit.api import make_api
from fluxlit.config import load_settings
from fluxlit.security import HEADERS, SecurityHeadersMiddleware


def served(**settings: object) -> FastAPI:
    api = make_api(load_settings(**settings), {})

    @api.get("/plain")
    def plain() -> str:
        return "x"

    @api.get("/own")
    def own(response: Response) -> str:
        response.headers["X-Frame-Options"] = "DENY"
        return "x"

    return api


def test_every_answer_has_them_unless_it_sets_its_own() -> None:
    client = TestClient(served(enable_security_headers=True))
    answer = client.get("/plain")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert client.get("/own").headers.get_list("x-frame-options") == ["DENY"]
    assert client.get("/missing").headers["x-content-type-options"] == "nosniff"
    assert "x-frame-options" not in TestClient(served()).get("/plain").headers


@pytest.mark.parametrize(("scheme", "is_there"), [("https", True), ("http", False)])
def test_https_is_remembered_only_over_https(scheme: str, is_there: bool) -> None:
    client = TestClient(served(enable_security_headers=True), base_url=f"{scheme}://desk.example")
    answer = client.get("/plain", headers={"X-Forwarded-Proto": "https"})
    assert ("strict-transport-security" in answer.headers) is is_there


def test_preflights_have_them_too() -> None:
    api = served(enable_security_headers=True, cors_allow_origins=["https://a.example"])
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    answer = TestClient(api).options("/plain", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_called_as_starlettes_own() -> None:
    async def call_next(_: Request) -> Response:
        return Response("x")

    middleware = SecurityHeadersMiddleware(served())
    scope = {"type": "http", "scheme": "https", "path": "/", "headers": [], "server": ("a", 443)}
    answer = asyncio.run(middleware.dispatch(Request(scope), call_next))
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")

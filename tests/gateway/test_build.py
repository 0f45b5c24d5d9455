from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.gateway.harness import Fixed, GatewayServer, Serve, echo_api

from fluxlit.config import FluxlitSettings
from fluxlit.gateway import (
    Gateway,
    GatewayOptions,
    GatewayProxyOptions,
    build_gateway,
    split_gateway_paths,
)
from fluxlit.gateway.upstream import Upstream

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def streamlit(serve: Serve) -> GatewayServer:
    """A server with a port of its own, in Streamlit's place."""
    return serve(
        Gateway(echo_api, GatewayOptions(prefix="", ui_path="/none"), Fixed(Upstream("x")))
    )


def test_the_api_is_in_it_and_the_rest_goes_to_the_server(streamlit: GatewayServer) -> None:
    api = FastAPI()

    @api.get("/users")
    def users() -> list[str]:
        return ["Ada"]

    gateway = build_gateway(
        api, f"http://127.0.0.1:{streamlit.port}/", api_prefix="v1", root_mount="apps/x/"
    )
    with TestClient(gateway, follow_redirects=False) as client:
        assert client.get("/apps/x/v1/users").json() == ["Ada"]
        assert client.get("/v1/users").json() == ["Ada"]
        assert client.get("/apps/x/docs").headers["location"] == "/apps/x/v1/docs"
        assert "'path': '/apps/x/media/a'" in client.get("/apps/x/media/a").text


def test_where_the_server_is_may_be_asked_each_time(streamlit: GatewayServer) -> None:
    places: Iterator[str] = iter(["", NOBODY, f"http://127.0.0.1:{streamlit.port}"])
    gateway = build_gateway(FastAPI(), "", upstream_resolver=lambda: next(places))
    with TestClient(gateway) as client:
        assert [client.get("/media/a").status_code for _ in range(3)] == [503, 502, 200]


def test_the_lifespan_is_the_api_s() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        seen.append("begun")
        yield
        seen.append("over")

    with TestClient(build_gateway(FastAPI(lifespan=lifespan), NOBODY)):
        assert seen == ["begun"]
    assert seen == ["begun", "over"]


def test_limits_come_from_settings_or_options() -> None:
    settings = FluxlitSettings(gateway_max_proxy_request_body_bytes=5)
    for said in (settings, GatewayProxyOptions(max_proxy_body_bytes=5)):
        client = TestClient(build_gateway(echo_api, NOBODY, proxy_settings=said))
        assert client.put("/media/a", content=b"x" * 6).status_code == 413
        assert client.put("/media/a", content=b"x" * 5).status_code == 502


def test_the_options_are_those_of_the_settings_without_a_word() -> None:
    from_settings = GatewayOptions.from_settings(
        FluxlitSettings(), docs_paths=frozenset(), internal_socket="", secret=""
    )
    made = GatewayProxyOptions().gateway_options()
    for name in GatewayOptions.__slots__:
        if name != "secret_query_keys":
            assert getattr(made, name) == getattr(from_settings, name), name
    said = GatewayProxyOptions(forward_client_headers_http=frozenset({"X-Tenant"}))
    assert said.gateway_options().passed_headers == {b"x-tenant"}


@pytest.mark.parametrize(
    ("path", "mount", "split"),
    [
        ("/x/api/a", "/x", ("/api/a", "/x/api/a")),
        ("/x", "x/", ("/", "/x/")),
        ("/xy", "/x", ("/xy", "/x/xy")),
        ("a", "", ("/a", "/a")),
    ],
)
def test_what_decides_and_what_is_sent(path: str, mount: str, split: tuple[str, str]) -> None:
    assert split_gateway_paths(path, mount) == split

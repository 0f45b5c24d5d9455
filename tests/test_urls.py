from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection, Request

from fluxlit.config import FluxlitSettings
from fluxlit.urls import FluxLitPublicUrls


class App:
    def __init__(self, api: FastAPI | None = None, **settings: Any) -> None:
        self.settings = FluxlitSettings(**settings)
        self.api = api or FastAPI()


def request(scheme: str = "http", host: str = "desk.example:8000") -> Request:
    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": [(b"host", host.encode())]}
    return Request(scope)


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({}, "http://desk.example:8000"),
        ({"root_path": "/apps/desk"}, "http://desk.example:8000/apps/desk"),
        ({"public_base_url": "https://x.example"}, "https://x.example"),
        ({"public_base_url": "https://x.example/"}, "https://x.example"),
        ({"public_base_url": "https://x.example", "root_path": "m"}, "https://x.example/m"),
        (
            {"public_base_url": "https://x.example/other", "root_path": "m"},
            "https://x.example/other",
        ),
        ({"public_base_url": "https://me:s3cret@x.example:1"}, "https://x.example:1"),
        ({"public_base_url": "not absolute"}, "http://desk.example:8000"),
    ],
)
def test_app_base(settings: dict[str, Any], base: str) -> None:
    assert FluxLitPublicUrls(App(**settings)).app_base(request()) == base


def test_the_api_s_addresses_follow_prefix_and_documentation() -> None:
    urls = FluxLitPublicUrls(App(FastAPI(redoc_url=None, openapi_url="/v1.json"), root_path="/m"))
    assert urls.api_base(request()) == "http://desk.example:8000/m/api"
    assert urls.docs_url(request()) == "http://desk.example:8000/m/api/docs"
    assert urls.redoc_url(request()) is None
    assert urls.openapi_url(request()) == "http://desk.example:8000/m/api/v1.json"
    assert urls.health_url(request()) == "http://desk.example:8000/m/api/healthz"
    assert urls.ready_url(request()) == "http://desk.example:8000/m/api/readyz"


def test_pages_live_under_the_ui_s_path_and_the_root_keeps_its_slash() -> None:
    urls = FluxLitPublicUrls(App(ui_path="/ui"))
    assert urls.page_url(request(), "/") == "http://desk.example:8000/ui/"
    assert urls.for_page(request(), "/users/") == "http://desk.example:8000/ui/users"
    query = {"q": "a b&c"}
    expected = "http://desk.example:8000/ui/users?q=a+b%26c"
    assert urls.page_url(request(), "users", query=query) == expected


def test_a_websocket_gives_addresses_for_the_browser() -> None:
    scope = {"type": "websocket", "scheme": "wss", "path": "/", "headers": [(b"host", b"desk")]}
    assert FluxLitPublicUrls(App()).app_base(HTTPConnection(scope)) == "https://desk"


def test_path_parameters_of_a_page_s_address_come_from_the_query() -> None:
    urls = FluxLitPublicUrls(App())
    address = urls.page_url(request(), "/users/{id}", query={"id": "a/b", "tab": "x"})
    assert address == "http://desk.example:8000/users/a%2Fb?tab=x"


def test_a_page_s_path_is_spelled_as_an_address() -> None:
    urls = FluxLitPublicUrls(App(public_base_url="https://x.example"))
    assert urls.canonical_url("/größe") == "https://x.example/gr%C3%B6%C3%9Fe"
    address = urls.page_url(request(), "/größe/{id}", query={"id": "50%"})
    assert address == "https://x.example/gr%C3%B6%C3%9Fe/50%25"


def test_a_page_s_public_address_has_no_password() -> None:
    urls = FluxLitPublicUrls(App(public_base_url="https://me:s3cret@x.example"))
    assert urls.canonical_url("/users") == "https://x.example/users"

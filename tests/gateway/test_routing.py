from __future__ import annotations

import pytest

from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.routing import RouteKind, Router, raw

API, UI = RouteKind.API, RouteKind.UI
REDIRECT, NOT_FOUND = RouteKind.REDIRECT, RouteKind.NOT_FOUND
DOCS = frozenset({"/docs", "/redoc", "/openapi.json"})
DEFAULT = GatewayOptions(docs_paths=DOCS)
MOUNTED = GatewayOptions(mount="/apps/my-app", docs_paths=DOCS)
UI_PATH = GatewayOptions(ui_path="/ui", docs_paths=DOCS)
API_ROOT = GatewayOptions(prefix="", ui_path="/ui", docs_paths=DOCS)
INSIDE = GatewayOptions(prefix="/ui/api", ui_path="/ui")
PLAIN = GatewayOptions()


@pytest.mark.parametrize(
    ("options", "path", "kind"),
    [
        (DEFAULT, b"/", UI),
        (DEFAULT, b"/api", API),
        (DEFAULT, b"/api/", API),
        (DEFAULT, b"/api/users", API),
        (DEFAULT, b"/apix", UI),
        (DEFAULT, b"/API/users", UI),
        (DEFAULT, b"//api/users", UI),
        (DEFAULT, b"/x/../api/echo", UI),
        (DEFAULT, b"/api/../x", API),
        (DEFAULT, b"/api%2Fusers", UI),
        (DEFAULT, b"/%61pi/users", UI),
        (DEFAULT, b"/docs", REDIRECT),
        (DEFAULT, b"/docs/", REDIRECT),
        (DEFAULT, b"/redoc", REDIRECT),
        (DEFAULT, b"/openapi.json", REDIRECT),
        (DEFAULT, b"/openapi.json/", UI),
        (DEFAULT, b"/docs/more", UI),
        (DEFAULT, b"*", UI),
        (PLAIN, b"/docs", UI),
        (PLAIN, b"/docs/", UI),
        (MOUNTED, b"/apps/my-app", UI),
        (MOUNTED, b"/apps/my-app/api/users", API),
        (MOUNTED, b"/apps/my-app/docs", REDIRECT),
        (MOUNTED, b"/apps/my-app-2/api", UI),
        (MOUNTED, b"/api/users", API),
        (MOUNTED, b"/x", UI),
        (UI_PATH, b"/ui", UI),
        (UI_PATH, b"/ui/x", UI),
        (UI_PATH, b"/uix", NOT_FOUND),
        (UI_PATH, b"/", NOT_FOUND),
        (UI_PATH, b"/api/x", API),
        (UI_PATH, b"/docs", NOT_FOUND),
        (API_ROOT, b"/", API),
        (API_ROOT, b"/docs", API),
        (API_ROOT, b"/ui/_stcore/stream", UI),
        (INSIDE, b"/ui/api/x", API),
        (INSIDE, b"/ui/apix", UI),
    ],
)
def test_who_answers(options: GatewayOptions, path: bytes, kind: RouteKind) -> None:
    assert Router(options).route("GET", path).kind is kind


@pytest.mark.parametrize("method", ["POST", "OPTIONS", ""])
def test_only_reading_a_page_redirects_to_the_docs(method: str) -> None:
    assert Router(DEFAULT).route(method, b"/docs").kind is UI


@pytest.mark.parametrize(
    ("path", "rest", "mounted"),
    [
        (b"/apps/my-app/a%2Fb", b"/a%2Fb", True),
        (b"/apps/my-app", b"", True),
        (b"/a%2Fb", b"/a%2Fb", False),
    ],
)
def test_the_mount_is_optional(path: bytes, rest: bytes, mounted: bool) -> None:
    assert Router(MOUNTED).route("GET", path)[1:] == (rest, mounted)


def test_a_mount_is_compared_as_a_request_line_spells_it() -> None:
    options = GatewayOptions(mount="/größe")
    assert Router(options).route("GET", b"/gr%C3%B6%C3%9Fe/api/x").kind is API
    assert raw("/a b") == b"/a%20b"

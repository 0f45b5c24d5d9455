"""One signature, served as a route and as a page: both are given the same, or both refuse."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from types import ModuleType
from typing import Annotated, Any, Literal, Optional, cast
from uuid import UUID

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query, Request, Security
from fastapi.requests import HTTPConnection
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPBasic,
    HTTPBearer,
    OAuth2PasswordBearer,
)
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel, Field
from tests.pages.fakes import FakeHeaders, FakeStreamlit

from fluxlit import FluxLit
from fluxlit.pages.runner import run_site

Values = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]

NOTHING: Values = {}
REFUSED = "refused"
NO_DEFAULT: Any = ...


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    S = "s"


class Filters(BaseModel):
    n: int = 1
    tags: list[str] | None = None
    pair: tuple[int, int] = (0, 0)
    since: date | None = Field(None, alias="from")


class Open(BaseModel, extra="allow"):
    n: int = 1


class Both:
    """A function of one parameter as a route and as a page, and what each gave it last."""

    def __init__(self, hint: Any, default: Any) -> None:
        self._seen: list[object] = []
        api, app = FastAPI(), FluxLit()
        served = self._function(hint, default)
        api.get("/")(served)
        app.page("/")(served)
        self._client = TestClient(api)
        self._site = app.site()

    def of_route(self, query: Values = NOTHING, headers: Pairs = (), cookies: Pairs = ()) -> object:
        self._client.get("/", params=query, headers=_sent(headers, cookies))
        return self._given()

    def of_page(self, query: Values = NOTHING, headers: Pairs = (), cookies: Pairs = ()) -> object:
        lines = FakeHeaders(_sent(headers, cookies))
        st = FakeStreamlit(query_params=query, headers=lines, cookies=dict(cookies))
        run_site(cast("ModuleType", st), self._site, st.menu)
        return self._given()

    def _function(self, hint: Any, default: Any) -> Any:
        def served(x: Any) -> None:
            self._seen.append(x)

        served.__annotations__["x"] = hint
        served.__annotations__["return"] = None
        served.__defaults__ = None if default is NO_DEFAULT else (default,)
        return served

    def _given(self) -> object:
        return self._seen.pop() if self._seen else REFUSED


def _sent(headers: Pairs, cookies: Pairs) -> Pairs:
    jar = "; ".join(f"{name}={value}" for name, value in cookies)
    return [*headers, *([("cookie", jar)] if cookies else ())]


HINTS: list[tuple[Any, Any]] = [
    (int, NO_DEFAULT),
    (int, 1),
    (int | None, None),
    (Optional[int], 5),  # noqa: UP045 - both ways to write it
    (str, "d"),
    (bool, False),
    (float, 1.5),
    (Decimal, NO_DEFAULT),
    (UUID | None, None),
    (date | None, None),
    (datetime | None, None),
    (timedelta | None, None),
    (Colour, Colour.RED),
    (Size | None, None),
    (Literal["a", "1"], "a"),
    (int | str, "x"),
    (Annotated[int, Query(ge=2)], 7),
    (Annotated[int, Query(alias="y")], 7),
    (Annotated[str | None, Query(max_length=2)], None),
    (Annotated[int, AfterValidator(lambda n: n * 2), Query()], 7),
    (Annotated[list[int], Query()], NO_DEFAULT),
    (Annotated[list[int], Query()], []),
    (Annotated[list[int] | None, Query()], None),
    (Annotated[Optional[list[int]], Query()], None),  # noqa: UP045
    (Annotated[list[str], Query(max_length=1)], []),
    (Annotated[set[int], Query()], set()),
    (Annotated[frozenset[str], Query()], frozenset()),
    (Annotated[tuple[int, int] | None, Query()], None),
    (Annotated[tuple[int, ...], Query()], ()),
    (Annotated[Sequence[int], Query()], ()),
    (Annotated[deque[int], Query()], NO_DEFAULT),
    (Annotated[list[Colour], Query()], []),
    (Annotated[list[Annotated[int, Field(ge=2)]], Query()], []),
    (Annotated[Filters, Query()], NO_DEFAULT),
    (Annotated[Open, Query()], NO_DEFAULT),
]
QUERIES: list[Values] = [
    {},
    {"x": "1"},
    {"x": "2"},
    {"x": ""},
    {"x": ["1", "2"]},
    {"x": ["1", "x"]},
    {"x": "red"},
    {"x": "s"},
    {"x": "on"},
    {"x": "2026-01-01"},
    {"x": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
    {"x": "PT1H"},
    {"x": "a b+&=ü"},
    {"y": "3"},
    {"n": "2", "tags": ["a", "b"], "pair": ["1", "2"], "from": "2026-01-01", "since": "2025-01-01"},
    {"n": ["2", "3"], "tags": "a", "more": ["1", "2"]},
    {"n": "x"},
]


@pytest.mark.parametrize(("hint", "default"), HINTS, ids=str)
def test_a_query_parameter(hint: Any, default: Any) -> None:
    both = Both(hint, default)
    for query in QUERIES:
        assert (query, both.of_page(query)) == (query, both.of_route(query))


def test_none_will_do_for_what_is_missing_and_may_be_none() -> None:
    both = Both(int | None, NO_DEFAULT)
    assert (both.of_page(), both.of_route()) == (None, REFUSED)
    assert (both.of_page({"x": "1"}), both.of_route({"x": "1"})) == (1, 1)


HEADERS: list[tuple[Any, Any]] = [
    (Annotated[str, Header()], NO_DEFAULT),
    (Annotated[int | None, Header()], None),
    (Annotated[int, Header(alias="X-Other-Name")], 7),
    (Annotated[str, Header(alias="x_with_bars", convert_underscores=False)], "d"),
    (Annotated[list[str], Header()], NO_DEFAULT),
    (Annotated[list[int] | None, Header()], None),
]
LINES: list[Pairs] = [
    (),
    [("X", "1")],
    [("x", "1"), ("X", "2")],
    [("x", "1, 2")],
    [("x", "word")],
    [("x-other-name", "3")],
    [("x_with_bars", "4")],
]


@pytest.mark.parametrize(("hint", "default"), HEADERS, ids=str)
def test_a_header(hint: Any, default: Any) -> None:
    both = Both(hint, default)
    for lines in LINES:
        assert (lines, both.of_page(headers=lines)) == (lines, both.of_route(headers=lines))


@pytest.mark.parametrize(
    ("hint", "default"),
    [
        (Annotated[str, Cookie()], NO_DEFAULT),
        (Annotated[int | None, Cookie()], None),
        (Annotated[str, Cookie(alias="the-theme")], "light"),
    ],
    ids=str,
)
def test_a_cookie(hint: Any, default: Any) -> None:
    both = Both(hint, default)
    for pairs in ([], [("x", "1")], [("x", "dark")], [("the-theme", "dark"), ("x", "2")]):
        assert (pairs, both.of_page(cookies=pairs)) == (pairs, both.of_route(cookies=pairs))


def told_of(request: Request) -> object:
    told = request.method, request.url.path, request.query_params.multi_items(), request.cookies
    return *told, request.headers.getlist("x"), request.path_params


SECURITY: list[Any] = [
    Depends(told_of),
    Depends(lambda connection: connection.headers.get("x")),
    Security(HTTPBearer()),
    Security(HTTPBasic(auto_error=False)),
    Security(OAuth2PasswordBearer("token", auto_error=False)),
    Security(APIKeyHeader(name="x")),
    Security(APIKeyCookie(name="x")),
    Security(APIKeyQuery(name="x")),
]
SECURITY[1].dependency.__annotations__["connection"] = HTTPConnection


@pytest.mark.parametrize("marker", SECURITY, ids=lambda it: type(it.dependency).__name__)
def test_who_asks_for_the_request(marker: Any) -> None:
    both = Both(Annotated[Any, marker], NO_DEFAULT)
    bearer, basic = ("Authorization", "Bearer abc"), ("authorization", "Basic YTpi")
    cases: list[tuple[Values, Pairs, Pairs]] = [
        ({}, (), ()),
        ({"x": ["1", "ü &"], "y": ""}, [("x", "1"), ("X", "2")], [("x", "3"), ("z", "4")]),
        ({}, [bearer], ()),
        ({}, [basic], ()),
        ({}, [("Authorization", "odd")], ()),
    ]
    for case in cases:
        assert (case, both.of_page(*case)) == (case, both.of_route(*case))

"""A hundred wrong inputs, each with the message that its author or visitor reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from types import ModuleType
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

import fastapi
import pytest
from fastapi import HTTPException
from pydantic import BaseModel, Field, model_validator
from tests.pages.fakes import FakeStreamlit

from fluxlit import Cookie, Depends, FluxLit, FluxlitSettings, Header, NavigationModel, Query
from fluxlit.exceptions import PageError, PageRefused
from fluxlit.pages import validate_fluxlit_pages
from fluxlit.pages.runner import run_site
from fluxlit.stores import SessionStore


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Filters(BaseModel):
    page: int = Field(default=1, ge=1, le=99)
    tags: list[Colour] = []
    since: date | None = None


class Strict(BaseModel, extra="forbid"):
    q: str


class Span(BaseModel):
    first: int = 0
    last: int = 0

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError("the first comes after the last")
        return self


def visit(
    hint: Any,
    *,
    query: dict[str, Any] | None = None,
    path: str = "/",
    default: Any = ...,
    **fake: Any,
) -> str:
    """Open a page with one parameter ``x`` and read what the visitor is told."""

    def page(x: Any) -> None: ...

    page.__annotations__["x"] = hint
    page.__defaults__ = None if default is ... else (default,)
    app = FluxLit()
    app.page(path)(page)
    st = FakeStreamlit(query_params=query or {}, **fake)
    run_site(cast("ModuleType", st), app.site(), st.menu)
    (told,) = st.errors + st.warnings
    return told.replace("\\", "")


INTEGER = "input should be a valid integer, unable to parse string as an integer"
QUERY: list[tuple[Any, Any, str]] = [
    (int, "x", f"the query parameter 'x' is wrong: {INTEGER}, not 'x'"),
    (int, "", f"is wrong: {INTEGER}, not ''"),
    (int, "1.5", f"is wrong: {INTEGER}, not '1.5'"),
    (int, "1e3", f"is wrong: {INTEGER}, not '1e3'"),
    (int, "٣x", f"is wrong: {INTEGER}, not '٣x'"),
    (int, "9" * 5000, "unable to parse input string as an integer, exceeded maximum size"),
    (int, "x" * 80, f"not '{'x' * 60}…'"),
    (int, None, "the query parameter 'x' is missing"),
    (int, [], "the query parameter 'x' is missing"),
    (float, "one", "input should be a valid number, unable to parse string as a number, not 'one'"),
    (bool, "maybe", "input should be a valid boolean, unable to interpret input, not 'maybe'"),
    (bool, "", "input should be a valid boolean, unable to interpret input, not ''"),
    (date, "2026-13-01", "month value is outside expected range of 1-12, not '2026-13-01'"),
    (
        date,
        "yesterday",
        "input should be a valid date or datetime, input is too short, not 'yesterday'",
    ),
    (date, "2026-02-30", "day value is outside expected range, not '2026-02-30'"),
    (datetime, "noon", "input should be a valid datetime or date, input is too short, not 'noon'"),
    (time, "25:00", "input should be in a valid time format, hour value is outside expected range"),
    (timedelta, "soon", "input should be a valid timedelta, invalid digit in duration, not 'soon'"),
    (Decimal, "1,5", "input should be a valid decimal, not '1,5'"),
    (UUID, "1234", "input should be a valid UUID, invalid length: found 4, not '1234'"),
    (Colour, "green", "input should be 'red' or 'blue', not 'green'"),
    (Literal["a", "b"], "c", "input should be 'a' or 'b', not 'c'"),
    (list[int], ["1", "x"], f"the query parameter 'x.1' is wrong: {INTEGER}, not 'x'"),
    (list[Colour], ["red", "pink"], "'x.1' is wrong: input should be 'red' or 'blue', not 'pink'"),
    (tuple[int, int], ["1"], "the query parameter 'x.1' is missing"),
    (set[int], ["a"], f"'x.0' is wrong: {INTEGER}, not 'a'"),
    (int | None, "x", f"is wrong: {INTEGER}, not 'x'"),
    (Annotated[int, Field(ge=1)], "0", "input should be greater than or equal to 1, not '0'"),
    (Annotated[int, Field(lt=10)], "10", "input should be less than 10, not '10'"),
    (Annotated[int, Field(multiple_of=5)], "7", "input should be a multiple of 5, not '7'"),
    (Annotated[str, Field(min_length=3)], "ab", "string should have at least 3 characters"),
    (Annotated[str, Field(max_length=3)], "abcd", "string should have at most 3 characters"),
    (Annotated[str, Field(pattern="^[a-z]+$")], "A1", "string should match pattern '^[a-z]+$'"),
    (Annotated[int, Query(alias="n")], None, "the query parameter 'n' is missing"),
    (Annotated[int, fastapi.Query(ge=5)], "4", "input should be greater than or equal to 5"),
    (Annotated[str, fastapi.Query(min_length=2)], "a", "string should have at least 2 characters"),
    (Annotated[int, fastapi.Query(alias="n")], None, "the query parameter 'n' is missing"),
]


@pytest.mark.parametrize(("hint", "given", "told"), QUERY)
def test_a_wrong_query_string(hint: Any, given: Any, told: str) -> None:
    query = {} if given is None else {"x": given}
    shown = visit(hint, query=query)
    assert shown.startswith("This page cannot be opened with this address:")
    assert told in shown


MODELS: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (Filters, {"page": "two"}, f"the query parameter 'page' is wrong: {INTEGER}, not 'two'"),
    (Filters, {"page": "0"}, "'page' is wrong: input should be greater than or equal to 1"),
    (Filters, {"page": "100"}, "'page' is wrong: input should be less than or equal to 99"),
    (Filters, {"tags": ["red", "x"]}, "'tags.1' is wrong: input should be 'red' or 'blue'"),
    (Filters, {"since": "x"}, "'since' is wrong: input should be a valid date or datetime"),
    (Strict, {}, "the query parameter 'q' is missing"),
    (Span, {"first": "1"}, "* the first comes after the last"),
    (Strict, {"q": "a", "z": "b"}, "'z' is wrong: extra inputs are not permitted, not 'b'"),
]


@pytest.mark.parametrize(("model", "query", "told"), MODELS)
def test_a_wrong_query_string_for_a_model(
    model: type[BaseModel], query: dict[str, Any], told: str
) -> None:
    assert told in visit(Annotated[model, Query()], query=query)


REQUEST: list[tuple[Any, dict[str, Any], str]] = [
    (Annotated[str, Header("x-user")], {}, "the header 'x-user' is missing"),
    (Annotated[int, Header("x-n")], {"headers": {"X-N": "a"}}, "the header 'x-n' is wrong"),
    (Annotated[str, Header()], {}, "the header 'x' is missing"),
    (Annotated[str, Cookie("theme")], {}, "the cookie 'theme' is missing"),
    (Annotated[int, Cookie("n")], {"cookies": {"n": "a"}}, "the cookie 'n' is wrong"),
    (Annotated[str, fastapi.Header()], {}, "the header 'x' is missing"),
    (Annotated[str, fastapi.Cookie(alias="t")], {}, "the cookie 't' is missing"),
]


@pytest.mark.parametrize(("hint", "fake", "told"), REQUEST)
def test_a_wrong_header_or_cookie(hint: Any, fake: dict[str, Any], told: str) -> None:
    assert told in visit(hint, **fake)


@pytest.mark.parametrize(
    ("hint", "given", "told"),
    [
        (int, None, "the path parameter 'x' is missing"),
        (int, "three", f"the path parameter 'x' is wrong: {INTEGER}, not 'three'"),
        (UUID, "3", "the path parameter 'x' is wrong: input should be a valid UUID"),
        (Colour, "pink", "the path parameter 'x' is wrong: input should be 'red' or 'blue'"),
    ],
)
def test_a_wrong_path_parameter(hint: Any, given: Any, told: str) -> None:
    # The page is the only one, so it is shown at the root, too.
    assert told in visit(hint, path="/a/{x}", query={} if given is None else {"x": given})


def raising(error: Exception) -> Any:
    def dependency() -> None:
        raise error

    return dependency


def raising_late() -> Iterator[int]:
    yield 1
    raise HTTPException(409, "It changed meanwhile.")


ASKS = "Something went wrong on this page."


@pytest.mark.parametrize(
    ("dependency", "told"),
    [
        (raising(PageRefused()), "You may not see this page."),
        (raising(PageRefused("Staff only.")), "Staff only."),
        (raising(HTTPException(401, "Log in.")), "Log in."),
        (raising(HTTPException(403, "Not you.")), "Not you."),
        (raising(HTTPException(404, "Gone.")), "Gone."),
        (raising(HTTPException(500, "db=secret")), ASKS),
        (raising(ValueError("secret")), ASKS),
        (raising(KeyError("secret")), ASKS),
        (raising(RuntimeError("secret")), ASKS),
        (raising_late, "It changed meanwhile."),
    ],
)
def test_a_raising_dependency(dependency: Any, told: str) -> None:
    assert visit(Annotated[Any, Depends(dependency)]).startswith(told)


# ------------------------------------------------------------ what an author is told


def sized(size: int = 3) -> int:
    return size


def only_by_position(x: int, /) -> None: ...


def needs_response(response: fastapi.Response) -> None: ...


class Odd: ...


NOTHING = "nothing is known to give to it"
SIGNATURES: list[tuple[Any, bool, str]] = [
    (dict[str, int], False, f"Unknown page parameter 'x: dict[str, int]': {NOTHING}"),
    (Odd, False, f"Unknown page parameter 'x: Odd': {NOTHING}"),
    (Filters, False, f"Unknown page parameter 'x: Filters': {NOTHING}"),
    (Any, False, f"Unknown page parameter 'x: Any': {NOTHING}"),
    (int | Odd, False, f"Unknown page parameter 'x: int | {Odd.__module__}.Odd': {NOTHING}"),
    (list[Odd], False, "Unknown page parameter 'x: list["),
    (Annotated[Any, Depends(only_by_position)], False, "'x' cannot be given by its name"),
    (fastapi.Response, False, f"Unknown page parameter 'x: Response': {NOTHING}"),
    ("Nowhere", False, "Could not resolve annotations: 'x' has 'Nowhere': name 'Nowhere'"),
    ("list[Nowhere]", False, "Could not resolve annotations: 'x' has 'list[Nowhere]'"),
    ("not a type", False, "Could not resolve annotations: 'x' has 'not a type'"),
    (Annotated[str, Depends()], False, "the parameter 'x' has Depends() without a callable"),
    (Annotated[str, Depends(cast("Any", 3))], False, "'x' depends on 3, which cannot be called"),
    (Annotated[int, Depends(needs_response)], False, "needs_response: Unknown page parameter"),
    (Annotated[Odd, Query()], False, "'x' cannot be read from a query parameter"),
    (Annotated[Filters, Header()], False, "'x' is a model, which only a query string can hold"),
    (Annotated[Filters, Cookie()], False, "'x' is a model, which only a query string can hold"),
    (SessionStore, False, "'x' needs a SessionStore, and the app has none"),
    (int, True, f"Unknown page parameter 'x: int': {NOTHING}"),
    (list[str], True, f"Unknown page parameter 'x: list[str]': {NOTHING}"),
    (Colour, True, f"Unknown page parameter 'x: Colour': {NOTHING}"),
]


@pytest.mark.parametrize(("hint", "strict", "told"), SIGNATURES)
def test_a_signature_that_cannot_be_served(hint: Any, strict: bool, told: str) -> None:
    def page(x: Any) -> None: ...

    page.__annotations__["x"] = hint
    app = FluxLit(settings=FluxlitSettings(strict_page_signatures=strict))
    with pytest.raises(PageError, match=re.escape(told)) as caught:
        app.page("/")(page)
    assert caught.value.remedy
    assert app.page_records == []


def plain() -> None: ...


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("/a", "/a", "duplicate Streamlit page path: '/a' and '/a'"),
        ("/a", "/a/", "have the same url_path slug 'a'"),
        ("/", "/home", "have the same url_path slug 'home'"),
        ("/", "", "have the same url_path slug 'home'"),
        ("/x", "/a/b", "Streamlit has no pages below a page"),
        ("/x", "/api", "that path is Streamlit's or the API's own"),
        ("/x", "/_stcore", "that path is Streamlit's or the API's own"),
        ("/x", "/static", "that path is Streamlit's or the API's own"),
        ("/x", "/media", "that path is Streamlit's or the API's own"),
        ("/x", "/a?b", "that no page address can hold"),
        ("/x", "/100%", "that no page address can hold"),
        ("/x", "  ", "that no page address can hold"),
        ("/x", "/a/{b", "a path parameter is a whole segment with a name in braces"),
        ("/x", "/a/{b}", "nobody reads the path parameter 'b'"),
    ],
)
def test_a_path_that_cannot_be_a_page_s(first: str, second: str, told: str) -> None:
    app = FluxLit()
    app.page(first)(plain)
    with pytest.raises(PageError, match=re.escape(told)):
        app.page(second)(plain)
    assert len(app.page_records) == 1


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (NavigationModel(order=("/x",)), "NavigationModel.order: unknown path '/x'"),
        (NavigationModel(hidden=("/x",)), "NavigationModel.hidden: unknown path '/x'"),
        (
            NavigationModel(sections={"S": ["/x"]}),
            "NavigationModel.sections['S']: unknown path '/x'",
        ),
        (
            NavigationModel(children={"/a": ["/b"], "/b": ["/a"]}),
            "navigation: cycle among the children of '/a', '/b'",
        ),
    ],
)
def test_a_navigation_that_cannot_be_followed(model: NavigationModel, told: str) -> None:
    app = FluxLit()
    for path in ("/a", "/b"):
        app.page(path)(plain)
    app.navigation(model)
    assert validate_fluxlit_pages(app) == [told]


def test_there_are_a_hundred() -> None:
    assert len(QUERY) + len(MODELS) + len(REQUEST) + 4 + 10 + len(SIGNATURES) + 14 + 4 >= 100

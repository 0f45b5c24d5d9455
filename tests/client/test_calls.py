"""``client.call``: what is sent is what FastAPI reads, and what comes back is of the right type."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Form, Header, HTTPException, Query
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from fluxlit import ApiClient, FluxLit
from fluxlit.client import (
    ApiError,
    ApiForbiddenError,
    ApiInvalidError,
    ApiNotFoundError,
    ApiServerError,
    injected,
)
from fluxlit.client.calls import Operations
from fluxlit.exceptions import CallError


class Colour(StrEnum):
    RED = "red"


class User(BaseModel):
    id: int
    name: str = "Ada"
    born: date | None = None


class Named(BaseModel):
    a: int = Field(default=0, alias="first")
    b: int = Field(default=0, validation_alias="second", serialization_alias="2nd")
    c: int = Field(default=0, validation_alias=AliasChoices("third", "c"))
    d: int = Field(default=0, serialization_alias="4th")


class Page(BaseModel):
    limit: int | None = 10
    tags: list[str] = []


class Agent(BaseModel):
    x_agent: str
    save_data: bool = False
    x_tags: list[str] = []


class Visit(BaseModel):
    theme: str = "light"
    count: int = 0


api = FastAPI()
router = APIRouter(prefix="/v1")


def database() -> str:
    return "db"


@router.get("/users/{user_id}")
def get_user(user_id: int, db: Annotated[str, Depends(database)] = injected) -> User:
    return User(id=user_id, name=db)


@router.post("/users", status_code=201)
async def add_user(user: User, *, notify: bool = False) -> User:
    return User(id=user.id + 1, name=f"{user.name} {notify}", born=user.born)


@api.put("/pair")
def pair(first: User, second: User, note: Annotated[str, Body()] = "") -> list[User]:
    return [second, first, User(id=0, name=note)]


@api.put("/one")
def embedded(word: Annotated[str, Body(embed=True)]) -> str:
    return word


@api.get("/echo/{name}")
def echo(  # noqa: PLR0917
    name: str,
    tags: Annotated[list[str], Query()],
    day: date,
    colour: Colour = Colour.RED,
    flag: bool = True,
    limit: Annotated[int | None, Query(alias="n", ge=1)] = None,
    x_agent: Annotated[str, Header()] = "none",
    theme: Annotated[str, Cookie()] = "light",
) -> dict[str, Any]:
    return {**locals(), "day": day.isoformat()}


@api.get("/page")
def paged(page: Annotated[Page, Query()]) -> Page:
    return page


@api.get("/named")
def named(names: Annotated[Named, Query()]) -> dict[str, Any]:
    return {"a": names.a, "b": names.b, "c": names.c, "d": names.d}


@api.get("/agent")
def agent(agent: Annotated[Agent, Header()], visit: Annotated[Visit, Cookie()]) -> list[Any]:
    return [agent, visit]


@api.get("/listed")
def listed(x_words: Annotated[list[str], Header()]) -> list[str]:
    return x_words


@api.get("/session")
def session(
    token: Annotated[str, Cookie()], theme: Annotated[str, Cookie()] = "light"
) -> list[str]:
    return [token, theme]


@api.delete("/users/{user_id}", status_code=204)
def remove(user_id: int) -> None: ...


@api.get("/fail/{status}")
def fail(status: int) -> str:
    raise HTTPException(status, "because")


@api.get("/text")
def text() -> PlainTextResponse:
    return PlainTextResponse("x")


@api.post("/form")
def form(name: Annotated[str, Form()]) -> str:
    return name


@api.api_route("/both", methods=["GET", "DELETE"])
def both() -> str:
    return "x"


@api.api_route("/one", methods=["GET", "HEAD"])
def one():  # type: ignore[no-untyped-def]
    return {"id": 1}


@api.get("/modelled", response_model=User)
def modelled():  # type: ignore[no-untyped-def]
    return {"id": 1}


@api.get("/odd", response_model=None)
def odd() -> User | PlainTextResponse:
    return User(id=1)


@api.get("/lost", response_model=None)
def lost() -> str:
    return "x"


@api.get("/api/inner")
def inner() -> str:
    return "inner"


api.include_router(router, prefix="/api-of")


def send(request: httpx2.Request) -> httpx2.Response:
    with TestClient(api) as server:
        answer = server.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.read(),
            headers=request.headers.multi_items(),
        )
    return httpx2.Response(answer.status_code, content=answer.content)


@pytest.fixture
def client() -> ApiClient:
    operations = Operations(lambda: api.routes)
    transport = httpx2.MockTransport(send)
    return ApiClient("http://testserver", transport=transport, operations=operations)


def test_a_route_of_an_included_router_is_found_and_its_dependency_left_to_it(
    client: ApiClient,
) -> None:
    assert client.call(get_user, user_id=3) == User(id=3, name="db")
    assert client.call(get_user, 4).id == 4


def test_an_async_function_with_a_body_and_a_query(client: ApiClient) -> None:
    user = User(id=1, born=date(2000, 1, 2))
    assert client.call(add_user, user, notify=True) == User(id=2, name="Ada True", born=user.born)


def test_bodies_of_several_parts_and_embedded_ones(client: ApiClient) -> None:
    found = client.call(pair, User(id=1), second=User(id=2), note="n")
    assert [user.id for user in found] == [2, 1, 0]
    assert client.call(embedded, word="hello") == "hello"


def test_every_place_of_a_request(client: ApiClient) -> None:
    given: dict[str, Any] = {
        "name": "größe & 1?#",
        "tags": ["x", "y z"],
        "day": date(2026, 2, 3),
        "colour": Colour.RED,
        "flag": False,
        "limit": 5,
        "x_agent": "me",
        "theme": "dark",
    }
    assert client.call(echo, **given) == {**given, "day": "2026-02-03"}
    found = client.call(echo, "n", tags=["t"], day=date(2026, 2, 3))
    assert (found["flag"], found["limit"], found["x_agent"]) == (True, None, "none")


def test_a_query_model(client: ApiClient) -> None:
    assert client.call(paged, Page(limit=2, tags=["a", "b"])) == Page(limit=2, tags=["a", "b"])


def test_a_query_model_is_sent_under_the_names_that_the_route_reads(client: ApiClient) -> None:
    said = Named.model_validate({"first": 1, "second": 2, "third": 3, "d": 4})
    assert client.call(named, said) == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_what_cannot_be_told_from_a_missing_value_is_not_sent_as_one(client: ApiClient) -> None:
    assert client.call(paged, Page(tags=[])) == Page()
    with pytest.raises(CallError, match="limit=None cannot be sent: the route would take 10"):
        client.call(paged, Page(limit=None, tags=["a"]))
    with pytest.raises(CallError, match=r"tags=\[\] .* the route would refuse it as missing"):
        client.call(echo, "n", tags=[], day=date(2026, 2, 3))
    found = client.call(echo, "n", tags=["t"], day=date(2026, 2, 3), limit=None)
    assert found["limit"] is None


def test_models_of_headers_and_cookies(client: ApiClient) -> None:
    said = Agent(x_agent="me", save_data=True, x_tags=["a", "b"])
    assert client.call(agent, said, Visit(theme="dark", count=2)) == [
        said.model_dump(),
        {"theme": "dark", "count": 2},
    ]


def test_a_header_of_several_values_is_sent_in_as_many_lines(client: ApiClient) -> None:
    assert client.call(listed, ["a, b", "c"]) == ["a, b", "c"]


@pytest.mark.parametrize(
    "text", ["a; theme=dark", 'say "hi", \\', "größe", " padded ", "a\r\nb", ""]
)
def test_a_cookie_arrives_as_it_was_given(client: ApiClient, text: str) -> None:
    assert client.call(session, text) == [text, "light"]


@pytest.mark.parametrize("text", ["größe", "名", " padded ", "a\r\nx-evil: 1", "a\x00"])
def test_a_header_that_would_not_arrive_is_refused_and_not_told(
    client: ApiClient, text: str
) -> None:
    with pytest.raises(CallError, match="value of x_words cannot stand in a header") as caught:
        client.call(listed, [text])
    assert text.strip() not in str(caught.value)
    with pytest.raises(CallError, match="value of token cannot stand in a cookie"):
        client.call(session, "名")


def test_an_answer_comes_back_from_a_function_without_an_annotation(client: ApiClient) -> None:
    assert client.call(one) == {"id": 1}
    assert client.call(modelled) == User(id=1)


def test_a_route_whose_path_begins_with_the_api_s_prefix() -> None:
    def under_prefix(request: httpx2.Request) -> httpx2.Response:
        assert request.url.raw_path == b"/api/api/inner"
        return httpx2.Response(200, json="inner")

    client = ApiClient(
        "http://testserver/api",
        transport=httpx2.MockTransport(under_prefix),
        operations=Operations(lambda: api.routes),
    )
    assert client.call(inner) == "inner"


def test_nothing_comes_back_from_a_function_that_returns_nothing(client: ApiClient) -> None:
    client.call(remove, user_id=1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ApiNotFoundError),
        (403, ApiForbiddenError),
        (503, ApiServerError),
        (418, ApiError),
    ],
)
def test_an_error_is_of_the_class_of_its_status(
    client: ApiClient, status: int, kind: type[ApiError]
) -> None:
    with pytest.raises(ApiError) as caught:
        client.call(fail, status)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.detail) == (status, "because")


def test_what_the_api_refuses_is_told(client: ApiClient) -> None:
    with pytest.raises(ApiInvalidError, match=r"query\.n: Input should be greater"):
        client.call(echo, "n", tags=["t"], day=date(2026, 2, 3), limit=0)


def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent(client: ApiClient) -> None:
    with pytest.raises(TypeError, match="missing the argument 'user_id'"):
        client.call(get_user)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        client.call(get_user, id=3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="gets 'db' from a dependency"):
        client.call(get_user, 3, db="mine")
    with pytest.raises(CallError, match=r"user_id='\.\.' cannot stand in a path"):
        client.call(get_user, "..")  # type: ignore[call-overload]


def test_functions_that_cannot_be_called(client: ApiClient) -> None:
    with pytest.raises(CallError, match="database serves no route"):
        client.call(database)
    with pytest.raises(CallError, match="makes its own response"):
        client.call(text)
    with pytest.raises(CallError, match="takes a form"):
        client.call(form, name="x")
    with pytest.raises(CallError, match=r"/both answers DELETE, GET: call\(\) cannot choose"):
        client.call(both)
    with pytest.raises(CallError, match="odd returns what pydantic does not know"):
        client.call(odd)
    lost.__annotations__["return"] = "Nowhere"
    with pytest.raises(CallError, match="cannot be resolved: name 'Nowhere'"):
        client.call(lost)
    with pytest.raises(CallError, match="knows no functions"):
        ApiClient().call(get_user, 1)


def test_an_answer_of_another_type_is_refused() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "x"}))
    client = ApiClient(transport=transport, operations=Operations(lambda: api.routes))
    with pytest.raises(ValidationError):
        client.call(get_user, 1)


def test_an_app_s_client_knows_the_app_s_functions() -> None:
    assert FluxLit(api=api).get_client()._operations.of(get_user).path == (  # type: ignore[union-attr]
        "/api-of/v1/users/{user_id}"
    )

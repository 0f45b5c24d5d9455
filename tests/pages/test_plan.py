"""What a page declares, and what it gets: injection against a stand-in for Streamlit."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import date
from enum import StrEnum
from types import ModuleType
from typing import Annotated, Any

import fastapi
import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, Field
from tests.pages.fakes import FakeStreamlit, Stopped

from fluxlit.client import ApiClient
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import PageError, PageInputError, PageSignatureError
from fluxlit.pages.markers import Cookie, Depends, Header, Query
from fluxlit.pages.plan import Grounds, plan_of
from fluxlit.pages.run import Run
from fluxlit.stores import SessionStore


class MySettings(FluxlitSettings):
    colour: str = "blue"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Filters(BaseModel):
    status: str = "open"
    tags: list[str] = []
    page: int = Field(default=1, ge=1)


CLIENT = ApiClient()
SETTINGS = MySettings()
PROVIDED: dict[type, object] = {FluxlitSettings: SETTINGS, SessionStore: None}


def names_in_scope() -> dict[str, Any]:
    """The names of the test that is running."""
    names: dict[str, Any] = {}
    for info in inspect.stack()[2:]:
        if info.filename == __file__:
            names = {**info.frame.f_locals, **names}
    return names


def given(fn: Any, *, strict: bool = False, path: tuple[str, ...] = (), **fake: Any) -> Any:
    """What a page would be called with."""
    caller = names_in_scope()
    st = FakeStreamlit(**fake)
    with Run(st, {**PROVIDED, ModuleType: st, ApiClient: CLIENT}) as run:
        grounds = Grounds(tuple(run.provided), path=path, namespace=caller, strict=strict)
        found = plan_of(fn, grounds).arguments(run)
    return {name: value for name, value in found.items() if name != "st"}


def test_st_and_client_are_known_by_name_whatever_their_annotation() -> None:
    def page(st: Any, client: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert given(page) == {"client": CLIENT}


def test_a_dependency_beats_a_known_name() -> None:
    """``client`` may be made by the app itself, such as one that sends the user's token."""

    def mine() -> str:
        return "mine"

    def page(client: Annotated[ApiClient, Depends(mine)], st: Any) -> None: ...

    assert given(page)["client"] == "mine"


def test_what_the_app_has_is_known_by_its_class_or_a_subclass_of_it() -> None:
    def page(
        api: ApiClient, a: FluxlitSettings, b: MySettings, c: Annotated[MySettings, "note"]
    ) -> None: ...

    assert given(page) == {"api": CLIENT, "a": SETTINGS, "b": SETTINGS, "c": SETTINGS}


def test_another_subclass_than_the_app_has_is_told_at_the_run() -> None:
    class Others(FluxlitSettings): ...

    def page(settings: Others) -> None: ...

    with pytest.raises(PageError, match="the app has MySettings, not Others"):
        given(page)


def test_what_the_app_has_not_is_none_or_left_out_or_an_error() -> None:
    def asks(store: SessionStore) -> None: ...
    def takes_none(store: SessionStore | None) -> None: ...
    def has_default(store: SessionStore = "mine") -> None: ...  # type: ignore[assignment]

    assert given(takes_none) == {"store": None}
    assert given(has_default) == {}
    with pytest.raises(PageError, match="the app has no SessionStore"):
        given(asks)


def test_a_class_that_only_looks_like_a_store_is_not_one() -> None:
    class Redis:
        def get(self, key: str) -> None: ...
        def set(self, key: str, value: str) -> None: ...
        def delete(self, key: str) -> None: ...

    def page(redis: Redis) -> None: ...

    with pytest.raises(PageSignatureError, match="Unknown page parameter 'redis: Redis'"):
        given(page)


def test_variadic_parameters_and_untyped_defaults_are_left_alone() -> None:
    def page(st: Any, *rest: str, size=3, what: Any = None, **more: str) -> None: ...  # type: ignore[no-untyped-def]

    assert given(page, query_params={"size": "9", "what": "x"}) == {}


# ------------------------------------------------------------ values of the request


def test_simple_types_are_read_from_the_query_string_and_converted() -> None:
    def page(
        limit: int, day: date, colour: Colour, tags: list[str], flag: bool = False, q: str = "all"
    ) -> None: ...

    query = {"limit": "5", "day": "2026-02-01", "colour": "red", "tags": ["a", "b"], "flag": "yes"}
    assert given(page, query_params=query) == {
        "limit": 5,
        "day": date(2026, 2, 1),
        "colour": Colour.RED,
        "tags": ["a", "b"],
        "flag": True,
        "q": "all",
    }


def test_a_marker_names_the_parameter_and_constrains_it() -> None:
    def page(page: Annotated[int, Query(alias="p"), Field(ge=1)] = 1) -> None: ...

    assert given(page) == {"page": 1}
    assert given(page, query_params={"p": "4"}) == {"page": 4}
    with pytest.raises(PageInputError) as caught:
        given(page, query_params={"p": "0"})
    assert caught.value.problems == (
        "the query parameter 'p' is wrong: input should be greater than or equal to 1, not '0'",
    )


def test_everything_that_is_wrong_is_told_at_once() -> None:
    def inner(size: int) -> int:
        return size

    def page(limit: int, day: date, size: Annotated[int, Depends(inner)]) -> None: ...

    with pytest.raises(PageInputError) as caught:
        given(page, query_params={"limit": "x"})
    assert [problem.split(" is ")[0] for problem in caught.value.problems] == [
        "the query parameter 'limit'",
        "the query parameter 'day'",
        "the query parameter 'size'",
    ]


def test_a_whole_model_is_read_from_the_query_string() -> None:
    def page(filters: Annotated[Filters, Query()]) -> None: ...

    query = {"status": "done", "tags": ["a", "b"], "page": "2", "other": "x"}
    assert given(page, query_params=query)["filters"] == Filters(
        status="done", tags=["a", "b"], page=2
    )
    with pytest.raises(PageInputError, match=r"'page' is wrong: .* valid integer.*, not 'two'"):
        given(page, query_params={"page": "two"})


def test_path_parameters_are_known_by_their_name_alone() -> None:
    def page(user_id: int) -> None: ...

    found = given(page, path=("user_id",), strict=True, query_params={"user_id": "3"})
    assert found == {"user_id": 3}
    with pytest.raises(PageInputError, match="the path parameter 'user_id' is missing"):
        given(page, path=("user_id",))


def test_headers_and_cookies_whatever_their_case() -> None:
    def page(
        user: Annotated[str | None, Header("x-user")],
        user_agent: Annotated[str, Header()],
        theme: Annotated[str, Cookie("Theme")] = "light",
        seen: Annotated[int, Cookie()] = 0,
    ) -> None: ...

    assert given(page, headers={"User-Agent": "me"}) == {
        "user": None,
        "user_agent": "me",
        "theme": "light",
        "seen": 0,
    }
    found = given(page, headers={"user-agent": "me", "X-USER": "ada"}, cookies={"seen": "3"})
    assert (found["user"], found["seen"]) == ("ada", 3)


def test_a_marker_as_default_counts_too() -> None:
    user, number = Header("x-user", default="nobody"), Query(default=7)

    def page(user: Any = user, p: int = number) -> None: ...  # type: ignore[assignment]

    assert given(page) == {"user": "nobody", "p": 7}


def test_what_a_header_holds_is_not_repeated_in_the_message() -> None:
    def page(token: Annotated[int, Header("x-token")]) -> None: ...

    with pytest.raises(PageInputError) as caught:
        given(page, headers={"x-token": "hush"})
    assert "hush" not in str(caught.value)
    with pytest.raises(PageInputError, match="the header 'x-token' is missing"):
        given(page)


# ------------------------------------------------------------ dependencies


def test_a_dependency_gets_what_a_page_gets_and_is_called_once_a_run() -> None:
    calls: list[ApiClient] = []

    def connect(client: ApiClient) -> int:
        calls.append(client)
        return len(calls)

    def double(number: Annotated[int, Depends(connect)]) -> int:
        return 2 * number

    def page(
        a: Annotated[int, Depends(connect)],
        b: Annotated[int, Depends(double)],
        c: Annotated[int, Depends(connect, use_cache=False)],
    ) -> None: ...

    assert given(page) == {"a": 1, "b": 2, "c": 2}
    assert calls == [CLIENT, CLIENT]


def test_a_coroutine_runs_where_a_loop_is_running_already() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    async def in_a_loop() -> dict[str, object]:
        with Run(FakeStreamlit(), {}) as run:
            return plan_of(page, Grounds()).arguments(run)

    def page(answer: int = Depends(answer)) -> None: ...  # type: ignore[assignment]

    assert asyncio.run(in_a_loop()) == {"answer": 42}


def test_a_class_or_an_object_is_a_dependency_too() -> None:
    class Pager:
        def __init__(self, limit: int = 10) -> None:
            self.limit = limit

    class Scaled:
        def __call__(self, limit: int = 1) -> Iterator[int]:
            yield limit * 100

    def page(pager: Annotated[Pager, Depends()], n: Annotated[int, Depends(Scaled())]) -> None: ...

    found = given(page, query_params={"limit": "3"})
    assert (found["pager"].limit, found["n"]) == (3, 300)


def test_coroutines_share_one_loop_and_end_with_the_run() -> None:
    ends: list[str] = []

    async def loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
        try:
            yield asyncio.get_running_loop()
        finally:
            await asyncio.sleep(0)
            ends.append("closed")

    async def same(opened: Annotated[Any, Depends(loop)]) -> bool:
        return opened is asyncio.get_running_loop()

    def page(same: Annotated[bool, Depends(same)]) -> None: ...

    assert given(page) == {"same": True}
    assert ends == ["closed"]


@pytest.mark.parametrize("ending", [None, ValueError("broken"), Stopped()])
def test_generators_clean_up_in_reverse_order_however_the_page_ends(
    ending: BaseException | None,
) -> None:
    events: list[object] = []

    def first() -> Iterator[str]:
        try:
            yield "first"
        except ValueError as exc:
            events.append(f"first saw {exc}")  # and hides it, which must not hide it
        events.append("first done")

    async def second(value: Annotated[str, Depends(first)]) -> AsyncIterator[str]:
        try:
            yield f"second after {value}"
        finally:
            events.append("second done")

    def page(value: Annotated[str, Depends(second)]) -> None: ...

    st = FakeStreamlit()
    caught: BaseException | None = None
    try:
        with Run(st, {}) as run:
            plan = plan_of(page, Grounds(namespace=locals()))
            assert plan.arguments(run) == {"value": "second after first"}
            if ending is not None:
                raise ending
    except (ValueError, Stopped) as exc:
        caught = exc
    assert caught is ending
    expected = ["second done"]
    if isinstance(ending, ValueError):
        expected += ["first saw broken", "first done"]
    elif ending is None:
        expected += ["first done"]
    assert events == expected


def test_each_run_gets_a_default_of_its_own() -> None:
    mine = Filters()

    def page(
        tags: list[str] = ["a"],  # noqa: B006 - the point of the test
        filters: Annotated[Filters, Query()] = mine,
    ) -> None: ...

    first = given(page)
    first["tags"].append("x")
    first["filters"].tags.append("x")
    assert given(page) == {"tags": ["a"], "filters": Filters()}


def test_what_makes_a_default_and_other_names_are_honoured_as_fastapi_honours_them() -> None:
    def page(
        made: Annotated[list[str], fastapi.Query(default_factory=lambda: ["b"])],
        size: Annotated[int, fastapi.Query(alias="s", validation_alias="n")] = 1,
    ) -> None: ...

    found = given(page)
    found["made"].append("x")
    assert given(page) == {"made": ["b"], "size": 1}
    said = given(page, query_params={"made": ["c"], "n": "3", "s": "4"})
    assert said == {"made": ["c"], "size": 3}


def test_a_model_s_fields_are_found_under_the_names_they_are_validated_by() -> None:
    class Aliased(BaseModel, extra="forbid"):
        limit: int = Field(default=1, validation_alias="n")
        tags: list[str] = Field(default=[], validation_alias=AliasChoices("tag", "t"))

    def page(it: Annotated[Aliased, Query()]) -> None: ...

    found = given(page, query_params={"n": "3", "t": ["a", "b"]})["it"]
    assert (found.limit, found.tags) == (3, ["a", "b"])


def test_a_model_s_field_may_be_one_of_many_values() -> None:
    class Sorted(BaseModel, extra="forbid"):
        first: str = Field(default="name", validation_alias=AliasPath("sort", 0))
        second: str = Field(default="", validation_alias=AliasChoices("then", AliasPath("sort", 1)))

    def page(it: Annotated[Sorted, Query()]) -> None: ...

    def read(**query: Any) -> tuple[str, str]:
        found = given(page, query_params=query)["it"]
        return found.first, found.second

    assert read() == ("name", "")
    assert read(sort=["age"]) == ("age", "")
    assert read(sort=["age", "size"]) == ("age", "size")
    assert read(sort=["age", "size"], then="city") == ("age", "city")


def test_one_dependency_serves_a_route_and_a_page() -> None:
    class Service:
        def __init__(self, name: str) -> None:
            self.name = name

    def pager(
        limit: Annotated[int, fastapi.Query(ge=1, alias="n")] = 5,
        agent: Annotated[str | None, fastapi.Header(alias="x-agent")] = None,
        theme: str = fastapi.Cookie(default="light"),
    ) -> tuple[int, str | None, str]:
        return limit, agent, theme

    def page(found: Annotated[Any, fastapi.Depends(pager)]) -> None: ...

    assert given(page)["found"] == (5, None, "light")
    found = given(page, query_params={"n": "2"}, headers={"x-agent": "a"}, cookies={"theme": "d"})
    assert found["found"] == (2, "a", "d")
    with pytest.raises(PageInputError, match="'n' is wrong: input should be greater"):
        given(page, query_params={"n": "0"})


def test_a_dependency_can_be_replaced() -> None:
    def real() -> str:
        return "real"

    def double(limit: int = 2) -> str:
        return "double" * limit

    def page(value: Annotated[str, Depends(real)]) -> None: ...

    with Run(FakeStreamlit(), {}, replaced={real: double}) as run:
        plan = plan_of(page, Grounds(namespace=locals()))
        assert plan.arguments(run) == {"value": "doubledouble"}


def test_values_by_name_replace_anything_for_tests() -> None:
    def page(user: Annotated[str, Header("x-user")], limit: int = 3) -> None: ...

    with Run(FakeStreamlit(), {}, values={"user": "ada", "limit": 9}) as run:
        assert plan_of(page, Grounds()).arguments(run) == {"user": "ada", "limit": 9}


# ------------------------------------------------------------ refusals at registration


def refused(fn: Any, **options: Any) -> str:
    with pytest.raises(PageSignatureError) as caught:
        given(fn, **options)
    assert isinstance(caught.value, TypeError | ValueError)
    return str(caught.value)


def test_an_annotation_that_cannot_be_resolved_is_refused() -> None:
    def page(user: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    text = refused(page)
    assert "Could not resolve annotations: 'user' has 'Nowhere'" in text
    assert "page" in text


def test_a_parameter_that_nothing_fits_is_refused_with_its_name() -> None:
    def untyped(st: Any, limit) -> None: ...  # type: ignore[no-untyped-def]
    def of_dict(options: dict[str, int]) -> None: ...
    def of_model(filters: Filters) -> None: ...

    assert "Unknown page parameter 'limit'" in refused(untyped)
    assert "Unknown page parameter 'options: dict[str, int]'" in refused(of_dict)
    assert "Unknown page parameter 'filters: Filters'" in refused(of_model)


def test_strict_signatures_want_every_parameter_declared() -> None:
    def scalar(st: Any, limit: int = 3) -> None: ...
    def untyped(st: Any, what: Any = None) -> None: ...
    def variadic(st: Any, **more: int) -> None: ...
    def declared(st: Any, client: Any, limit: Annotated[int, Query()] = 3) -> None: ...

    assert "Unknown page parameter 'limit: int'" in refused(scalar, strict=True)
    assert "Unknown page parameter 'what: Any'" in refused(untyped, strict=True)
    assert "must not use *args or **kwargs" in refused(variadic, strict=True)
    assert given(declared, strict=True) == {"client": CLIENT, "limit": 3}


def test_dependencies_that_cannot_be_are_refused() -> None:
    def nothing(value: Annotated[str, Depends()]) -> None: ...
    def called(value: Annotated[str, Depends(3)]) -> None: ...
    def inner(value: dict[str, int]) -> None: ...
    def nested(value: Annotated[str, Depends(inner)]) -> None: ...
    def on_response(value: Annotated[str, Depends(needs_response)]) -> None: ...
    def needs_response(response: fastapi.Response) -> None: ...

    assert "'value' has Depends() without a callable" in refused(nothing)
    assert "'value' depends on 3, which cannot be called" in refused(called)
    assert "inner: Unknown page parameter 'value: dict[str, int]'" in refused(nested)
    assert "needs_response: Unknown page parameter 'response: Response'" in refused(on_response)


def test_a_cycle_of_dependencies_is_refused_with_its_members() -> None:
    text = refused(_page_of_a_cycle)
    assert text == "dependency cycle: _first → _second → _first"


def _first(value: Annotated[int, Depends(_second)]) -> int: ...  # type: ignore[empty-body]
def _second(value: Annotated[int, Depends(_first)]) -> int: ...  # type: ignore[empty-body]
def _page_of_a_cycle(value: Annotated[int, Depends(_first)]) -> None: ...


def test_a_model_stands_only_in_a_query_string() -> None:
    def page(model: Annotated[Filters, Header()]) -> None: ...

    assert "'model' is a model, which only a query string can hold" in refused(page)


def test_a_type_that_pydantic_does_not_know_is_refused() -> None:
    class Odd: ...

    def page(odd: Annotated[Odd, Query()]) -> None: ...

    assert "'odd' cannot be read from a query parameter" in refused(page)

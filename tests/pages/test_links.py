from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from tests.pages.fakes import FakeStreamlit, Switched

from fluxlit import FluxLit, FluxlitSettings
from fluxlit.exceptions import PageError
from fluxlit.pages import Depends, Query


class Filters(BaseModel):
    status: str = "open"
    tags: list[str] = []


def pager(limit: int = 10) -> int:
    return limit


def home(st: Any) -> None: ...
def user(
    user_id: int,
    day: date | None = None,
    tags: list[str] | None = None,
    size: Annotated[int, Depends(pager)] = 0,
    wide: Annotated[bool, Query(alias="w")] = False,
) -> None: ...
def orders(filters: Annotated[Filters, Query()]) -> None: ...


app = FluxLit(settings=FluxlitSettings(root_path="/m"))
app.page("/")(home)
app.page("/users/{user_id}", icon="👤", title="One user")(user)
app.page("/orders")(orders)


@pytest.mark.parametrize(
    ("link", "href"),
    [
        (app.link(home), "/m"),
        (app.link(user, user_id=3), "/m/users-by-id?user_id=3"),
        (
            app.link(user, user_id=3, day=date(2026, 1, 2), tags=["a b", "c"], limit=5, wide=True),
            "/m/users-by-id?user_id=3&day=2026-01-02&tags=a+b&tags=c&limit=5&w=true",
        ),
        (app.link(user, user_id=3, day=None), "/m/users-by-id?user_id=3"),
        (app.link(orders), "/m/orders"),
        (app.link(orders, filters=Filters(tags=["x"])), "/m/orders?tags=x"),
    ],
)
def test_the_address_of_a_page(link: Any, href: str) -> None:
    assert str(link) == href.replace("by-id", "by-user_id")


def test_without_a_mount_the_root_is_a_slash() -> None:
    plain = FluxLit()
    plain.page("/")(home)
    assert str(plain.link(home)) == "/"


@pytest.mark.parametrize(
    ("fn", "values", "told"),
    [
        (pager, {}, "'pager' is not a page of this app"),
        (user, {}, "needs a value for its path parameter 'user_id'"),
        (user, {"user_id": 3, "tag": "x"}, "reads no parameter 'tag'"),
        (user, {"user_id": "three"}, "user_id='three' is wrong: Input should be a valid integer"),
        (home, {"x": 1}, "reads no parameter 'x'"),
    ],
)
def test_links_that_lead_nowhere_are_refused(fn: Any, values: Any, told: str) -> None:
    with pytest.raises(PageError, match=told):
        app.link(fn, **values)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(PageError) as caught:
        app.link(user, user_id=3, tag="x")
    assert caught.value.remedy == "did you mean 'tags'?"


def test_a_link_is_shown_or_followed_through_streamlit() -> None:
    shown: list[Any] = []

    class St(FakeStreamlit):
        def page_link(self, page: Any, **options: Any) -> None:
            shown.append((page.url_path, options))

    link = app.link(user, user_id=3)
    link.show(St(), "Ada", help="x")
    options = {"label": "Ada", "icon": "👤", "help": "x", "query_params": {"user_id": "3"}}
    assert shown == [("users-by-user_id", options)]
    st = FakeStreamlit()
    with pytest.raises(Switched):
        link.follow(st)
    assert st.switched == ("users-by-user_id", {"user_id": "3"})


class Sparse(BaseModel):
    limit: int | None = 10
    note: str | None = None
    page: int = Field(default=1, validation_alias="p", serialization_alias="out")


def closed(filters: Annotated[Filters, Query()] = Filters(status="closed")) -> None: ...  # noqa: B008
def sparse(filters: Annotated[Sparse, Query()]) -> None: ...
def sized(size: int = 1) -> None: ...


app.page("/closed")(closed)
app.page("/sparse")(sparse)
app.page("/größe")(sized)


@pytest.mark.parametrize(
    ("link", "href"),
    [
        (app.link(closed, filters=Filters(status="open")), "/m/closed?status=open"),
        (app.link(closed, filters=Filters(status="closed")), "/m/closed?status=closed"),
        (app.link(closed, filters=Filters(tags=["x"])), "/m/closed?tags=x"),
        (app.link(sparse, filters={"p": 3}), "/m/sparse?p=3"),
        (app.link(sized, size=2), "/m/gr%C3%B6%C3%9Fe?size=2"),
    ],
)
def test_a_model_is_spelled_so_that_the_page_reads_the_same(link: Any, href: str) -> None:
    assert str(link) == href


@pytest.mark.parametrize(
    ("fn", "filters", "told"),
    [
        (
            orders,
            {"status": 3},
            r"'/orders': filters\.status is wrong: Input should be a valid str",
        ),
        (orders, 3, "filters is wrong: Input should be a valid dict"),
        (sparse, Sparse(limit=None), "cannot be said in an address"),
    ],
)
def test_a_model_that_the_page_could_not_read_is_refused(fn: Any, filters: Any, told: str) -> None:
    with pytest.raises(PageError, match=told):
        app.link(fn, filters=filters)

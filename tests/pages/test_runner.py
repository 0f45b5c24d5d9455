"""One run against a stand-in for the streamlit module; the browser tests run the real one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated, Any, cast

import httpx2
import pytest
from fastapi import HTTPException
from tests.pages.fakes import FakePage, FakeStreamlit, Switched

from fluxlit.client import ApiClient
from fluxlit.exceptions import PageRefused
from fluxlit.logging import get_request_id, set_request_id
from fluxlit.pages.markers import Depends
from fluxlit.pages.meta import PageMeta
from fluxlit.pages.navigation import NavigationModel, arrange
from fluxlit.pages.plan import Grounds, dependency_on
from fluxlit.pages.records import PageFn, PageOptions, make_record
from fluxlit.pages.run import Run
from fluxlit.pages.runner import Site, run_site, show_menu

Row = tuple[str, PageFn] | tuple[str, PageFn, PageOptions]


def site(*pages: Row, model: NavigationModel | None = None, **options: Any) -> Site:
    records = [make_record(row[0], row[1], *row[2:]) for row in pages]
    return Site(title="Desk", navigation=arrange(records, model), **options)


def run(st: FakeStreamlit, shown: Site) -> FakeStreamlit:
    shown.shown._menus.clear()  # each stand-in keeps its own record
    run_site(cast("ModuleType", st), shown, st.menu)
    return st


def home(st: Any) -> None:
    st.write("home")


def users(st: Any) -> None:
    st.write("users")


def refuse() -> None:
    raise PageRefused("Staff only.")


def test_the_chosen_page_runs_and_only_that_one() -> None:
    st = run(FakeStreamlit("users"), site(("/", home), ("/users", users)))
    assert st.written == ["users"]
    assert [(page.slug, page.default) for page in st.pages] == [
        ("home", True),
        ("users", False),
    ]


def test_streamlit_s_page_objects_are_made_once() -> None:
    pages = site(("/", home), ("/users", users))
    first, second = run(FakeStreamlit(), pages), run(FakeStreamlit("users"), pages)
    assert (first.made, second.made) == (2, 0)
    assert second.written == ["users"]


def test_an_icon_that_streamlit_refuses_costs_no_page(caplog: pytest.LogCaptureFixture) -> None:
    class Choosy(FakeStreamlit):
        def Page(self, run: Callable[[], None], **options: Any) -> FakePage:  # noqa: N802
            if options["icon"] == "logo.png":
                raise ValueError(options["icon"])
            return super().Page(run, **options)

    st = run(Choosy(), site(("/", home, {"page_meta": {"page_icon": "logo.png"}}), ("/u", users)))
    assert (st.written, st.exceptions, st.config["page_icon"]) == (["home"], [], "logo.png")
    assert "page / has no icon in the menu: logo.png" in caplog.text


def test_an_async_page_runs_to_its_end() -> None:
    async def page(st: Any) -> None:
        await asyncio.sleep(0)
        st.write("done")

    assert run(FakeStreamlit(), site(("/", page))).written == ["done"]


def test_the_tab_shows_the_app_and_below_the_root_the_page_too() -> None:
    pages = site(("/", home), ("/users", users))
    assert run(FakeStreamlit(), pages).config["page_title"] == "Desk"
    assert run(FakeStreamlit("users"), pages).config["page_title"] == "Users · Desk"


def test_page_config_of_the_app_is_overridden_by_what_a_page_says_of_itself() -> None:
    config = {"layout": "wide", "page_title": "Mine", "menu_items": {}}
    meta = PageMeta(page_title="Users", layout="centered", breadcrumb=["Desk", "Users"])
    pages = site(("/", home), ("/users", users, {"page_meta": meta}), page_config=config)
    assert run(FakeStreamlit(), pages).config == config
    shown = run(FakeStreamlit("users"), pages)
    assert shown.config == {"layout": "centered", "page_title": "Users", "menu_items": {}}
    assert shown.captions == ["Desk / Users"]


def test_what_a_page_returns_of_itself_is_applied() -> None:
    def page() -> PageMeta:
        return PageMeta(page_title="Ada", breadcrumb="Users / Ada")

    def mapping() -> dict[str, Any]:
        return {"layout": "wide"}

    def wrong() -> dict[str, Any]:
        return {"layout": "round"}

    shown = run(FakeStreamlit(), site(("/", page)))
    assert (shown.config["page_title"], shown.captions) == ("Ada", ["Users / Ada"])
    assert run(FakeStreamlit(), site(("/", mapping))).config["layout"] == "wide"
    assert run(FakeStreamlit(), site(("/", wrong))).errors == [
        "Invalid page metadata: layout: Input should be 'centered' or 'wide'"
    ]


def test_a_generator_page_runs_to_its_end_and_may_say_something_at_each_step() -> None:
    def page(st: Any) -> Iterator[PageMeta | None]:
        st.write(1)
        yield PageMeta(page_title="Loading")
        st.write(2)
        yield None
        st.write(3)
        yield PageMeta(page_title="Done")

    shown = run(FakeStreamlit(), site(("/", page)))
    assert (shown.written, shown.config["page_title"]) == ([1, 2, 3], "Done")


def test_an_app_without_pages_says_what_to_do() -> None:
    st = run(FakeStreamlit(), site())
    assert st.written[0] == "Desk"
    assert st.written[1].startswith("Register UI with")


def test_the_id_of_the_page_s_own_request_is_carried_on_and_a_forged_one_is_not() -> None:
    seen: list[str | None] = []

    def page() -> None:
        seen.append(get_request_id())

    set_request_id("left-over")
    run(FakeStreamlit(headers={"x-request-id": "abc"}), site(("/", page)))
    run(FakeStreamlit(headers={"x-request-id": "a\nb"}), site(("/", page)))
    run(FakeStreamlit(), site(("/", page)))
    set_request_id(None)
    assert seen == ["abc", None, None]


# ------------------------------------------------------------ deep links


@pytest.mark.parametrize("wanted", ["Users", "/users", "users", "/users/"])
def test_a_deep_link_leads_to_the_page_and_keeps_the_rest_of_the_query(wanted: str) -> None:
    query = {"page": wanted, "token": "x", "tag": ["a", "b"]}
    st = FakeStreamlit(query_params=query)
    with pytest.raises(Switched):
        run(st, site(("/", home), ("/users", users)))
    assert st.switched == ("users", {"token": ["x"], "tag": ["a", "b"]})
    assert st.pages == []


def test_a_deep_link_to_nowhere_or_to_a_hidden_page_changes_nothing() -> None:
    pages = site(("/", home), ("/users", users, {"visible": False}))
    for wanted in ("nowhere", "users", ""):
        assert run(FakeStreamlit(query_params={"page": wanted}), pages).written == ["home"]


def test_of_two_pages_of_one_title_the_first_in_visible_order_is_meant() -> None:
    rows: list[Row] = [("/", home), ("/a", users, {"title": "X"}), ("/b", users, {"title": "X"})]
    model = NavigationModel(order=("/", "/b", "/a"))
    st = FakeStreamlit(query_params={"page": "X"})
    with pytest.raises(Switched):
        run(st, site(*rows, model=model))
    assert st.switched == ("b", {})


# ------------------------------------------------------------ guards


def test_a_refused_page_leaves_the_navigation_and_tells_why_when_it_is_opened() -> None:
    pages = site(("/", home), ("/payroll", users, {"requires": refuse, "icon": "💰"}))
    shown = run(FakeStreamlit("payroll"), pages)
    assert (shown.warnings, shown.written) == (["Staff only."], [])
    page = shown.pages[1]
    assert (page.title, page.icon, page.visibility) == ("Not available", None, "hidden")
    assert shown.config == {"page_title": "Desk"}
    assert run(FakeStreamlit(), pages).written == ["home"]


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        (lambda: False, "You may not see this page."),
        (lambda client: client.missing, "Something went wrong on this page."),
    ],
)
def test_a_guard_that_says_no_or_fails_closes_the_page(guard: Any, told: str) -> None:
    st = run(FakeStreamlit(), site(("/", home, {"requires": [guard]})))
    assert (st.errors + st.warnings, st.written) == ([told], [])


def test_a_route_s_own_guard_serves_a_page() -> None:
    def allowed(token: str = "") -> None:
        if token != "good":
            raise HTTPException(403, "Not for you.")

    pages = site(("/", home, {"requires": Depends(allowed)}))
    assert run(FakeStreamlit(), pages).warnings == ["Not for you."]
    assert run(FakeStreamlit(query_params={"token": "good"}), pages).written == ["home"]


def test_guards_of_many_pages_share_one_answer_and_the_page_gets_it_too() -> None:
    calls: list[int] = []

    def user() -> str:
        calls.append(1)
        return "ada"

    def page(st: Any, user: Annotated[str, Depends(user)]) -> None:
        st.write(user)

    namespace = {"user": user, **globals()}
    page.__annotations__["user"] = Annotated[str, Depends(namespace["user"])]
    rows: list[Row] = [(f"/p{i}", page, {"requires": user}) for i in range(5)]
    assert run(FakeStreamlit("p3"), site(*rows)).written == ["ada"]
    assert len(calls) == 1


def test_a_guard_of_many_pages_that_refuses_is_asked_once_a_run_too() -> None:
    calls: list[int] = []

    def staff() -> None:
        calls.append(1)
        raise PageRefused("Staff only.")

    rows: list[Row] = [(f"/p{i}", users, {"requires": staff}) for i in range(5)]
    pages = site(("/", home), *rows)
    for asked in (1, 2):
        shown = run(FakeStreamlit("p3"), pages)
        assert (shown.warnings, len(calls)) == (["Staff only."], asked)
        assert [page.visibility for page in shown.pages] == ["visible", *["hidden"] * 5]


def test_a_failure_is_told_to_each_that_asks_with_the_trace_of_the_first() -> None:
    depths = []
    with Run(FakeStreamlit(), {}) as shared:
        source = dependency_on(fails, Grounds())
        for _ in range(3):
            with pytest.raises(LookupError, match="secret") as caught:
                source.value(shared)
            depths.append(len(caught.traceback))
    assert depths[1] == depths[2]


def test_what_a_page_returns_takes_the_place_of_its_registered_breadcrumb() -> None:
    def page() -> PageMeta:
        return PageMeta(breadcrumb=["Sales", "Order 7"])

    registered: PageOptions = {"page_meta": {"breadcrumb": "Sales"}}
    assert run(FakeStreamlit(), site(("/", home, registered))).captions == ["Sales"]
    assert run(FakeStreamlit(), site(("/", page, registered))).captions == ["Sales / Order 7"]


# ------------------------------------------------------------ errors


def fails() -> None:
    raise LookupError("secret")


def test_in_production_a_fault_is_a_short_message_and_a_trace_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    st = FakeStreamlit(headers={"x-request-id": "abc"}, options={"client.showErrorDetails": "none"})
    run(st, site(("/", fails)))
    set_request_id(None)
    assert st.errors == ["Something went wrong on this page.\n\nRequest id: `abc`"]
    (record,) = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert record.getMessage() == "page / failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


def test_in_development_the_trace_begins_in_the_page() -> None:
    st = run(FakeStreamlit(options={"client.showErrorDetails": "full"}), site(("/", fails)))
    (error,) = st.exceptions
    assert error.__traceback__ is not None
    first = error.__traceback__.tb_frame.f_code
    assert first.co_filename.endswith("tests/pages/fakes.py")  # not the runner that called it


def test_a_wrong_address_is_told_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    def page(limit: int) -> None: ...

    st = FakeStreamlit(query_params={"limit": "x"}, options={"client.showErrorDetails": "full"})
    run(st, site(("/", page)))
    (told,) = st.errors
    assert told.startswith("This page cannot be opened with this address:")
    assert "'limit' is wrong: input should be a valid integer" in told
    assert not [it for it in caplog.records if it.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx2.Response(404, json={"detail": "No such user"}), "No such user"),
        (httpx2.Response(403, json={"detail": "Staff only"}), "Staff only"),
        (httpx2.Response(500, json={"detail": "db password"}), "Something went wrong on this page"),
        (httpx2.Response(404), "Something went wrong on this page."),
        (httpx2.ConnectError("refused"), "The service did not answer. Please try again"),
    ],
)
def test_an_error_of_the_api_is_told_in_its_own_words(answer: Any, told: str) -> None:
    def respond(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise httpx2.ConnectError("refused", request=request)
        return cast("httpx2.Response", answer)

    def page(client: ApiClient) -> None:
        client.get("/users").raise_for_status()

    client = ApiClient(transport=httpx2.MockTransport(respond))
    st = run(FakeStreamlit(), site(("/", page), make_client=lambda: client))
    (shown,) = st.errors + st.warnings
    assert shown.startswith(told)


def test_words_from_elsewhere_are_not_markdown() -> None:
    def page() -> None:
        raise PageRefused("**no** [link](http://evil.example) $x$ :red[x]")

    (told,) = run(FakeStreamlit(), site(("/", page))).warnings
    assert r"\*\*no\*\* \[link\](http\://evil" in told


def test_a_menu_alone_keeps_the_place_and_runs_no_page() -> None:
    st = FakeStreamlit("users")
    show_menu(cast("ModuleType", st), site(("/", home), ("/users", users)), st.menu)
    assert [page.title for page in st.pages] == ["Home", "Users"]
    assert st.written == []
    show_menu(cast("ModuleType", nobody := FakeStreamlit()), site(), nobody.menu)
    assert nobody.pages == []

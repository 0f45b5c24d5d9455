"""One run against a stand-in for the streamlit module; the browser tests run the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from fluxlit.logging import get_request_id, set_request_id
from fluxlit.pages.records import PageFn, make_record
from fluxlit.pages.runner import Site, run_site


@dataclass(eq=False)
class FakePage:
    run: Callable[[], None]
    title: str
    icon: str | None
    url_path: str
    default: bool


@dataclass
class FakeStreamlit:
    """Shows the page at one position of the navigation and records what was asked of it."""

    choose: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    pages: list[FakePage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = SimpleNamespace(headers=self.headers)
        self.title = self.info = self.write = self.written.append

    def set_page_config(self, **config: object) -> None:
        self.config.update(config)

    def Page(self, run: Callable[[], None], **options: Any) -> FakePage:  # noqa: N802 - Streamlit's name
        return FakePage(run, **options)

    def navigation(self, pages: list[FakePage]) -> FakePage:
        self.pages = pages
        return pages[self.choose]


def site(*pages: tuple[str, PageFn], **options: Any) -> Site:
    records = tuple(make_record(path, fn) for path, fn in pages)
    return Site(title="Desk", pages=records, default=records[0] if records else None, **options)


def run(st: FakeStreamlit, shown: Site) -> FakeStreamlit:
    run_site(cast("ModuleType", st), shown)
    return st


def home(st: Any) -> None:
    st.write("home")


def users(st: Any) -> None:
    st.write("users")


def test_the_chosen_page_runs_and_only_that_one() -> None:
    st = run(FakeStreamlit(choose=1), site(("/", home), ("/users", users)))
    assert st.written == ["users"]
    assert [(page.url_path, page.default) for page in st.pages] == [
        ("home", True),
        ("users", False),
    ]


def test_an_async_page_runs_to_its_end() -> None:
    async def page(st: Any) -> None:
        await asyncio.sleep(0)
        st.write("done")

    assert run(FakeStreamlit(), site(("/", page))).written == ["done"]


def test_the_tab_shows_the_app_and_below_the_root_the_page_too() -> None:
    pages = site(("/", home), ("/users", users))
    assert run(FakeStreamlit(choose=0), pages).config["page_title"] == "Desk"
    assert run(FakeStreamlit(choose=1), pages).config["page_title"] == "Users · Desk"


def test_the_page_config_of_the_app_has_the_last_word() -> None:
    config = {"layout": "wide", "page_title": "Mine"}
    assert run(FakeStreamlit(), site(("/", home), page_config=config)).config == config


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

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fluxlit import FluxLit
from fluxlit._paths import path_parameters
from fluxlit.exceptions import PageError
from fluxlit.pages.plan import Grounds
from fluxlit.pages.records import check_kind, default_title, make_record
from fluxlit.pages.registry import PageRegistry, discover
from fluxlit.pages.slug import page_slug


def page(id: str = "") -> None:  # noqa: A002 - a path parameter's name
    """Show orders.

    More words.
    """


def registry(*paths: str) -> PageRegistry:
    pages = PageRegistry()
    for path in paths:
        pages.add(make_record(path, page, None, Grounds(path=path_parameters(path))))
    return pages


@pytest.mark.parametrize(
    ("path", "slug"), [("/", "home"), ("", "home"), ("/users", "users"), ("/users/", "users")]
)
def test_slug(path: str, slug: str) -> None:
    assert page_slug(path) == slug


def test_a_record_reads_title_and_description_from_the_function() -> None:
    record = make_record("/orders", page, {"tags": ("a", "b")})
    assert (record.title, record.description, record.tags) == ("Page", "Show orders.", ("a", "b"))


@pytest.mark.parametrize(
    ("path", "options", "told"),
    [
        ("/pay", {"require": page}, "there is no option 'require'"),
        ("/pay", {"section_of": "x", "nope": 1}, "there is no option 'section_of'"),
        ("/pay", {"tags": "sales"}, "tags is text"),
    ],
)
def test_an_option_that_nobody_would_heed_is_refused(path: str, options: Any, told: str) -> None:
    """A guard under a misspelt name would leave its page to everybody."""
    with pytest.raises(PageError, match=told):
        FluxLit().page(path, **options)(page)


def test_a_misspelt_option_is_named() -> None:
    with pytest.raises(PageError) as caught:
        FluxLit().page("/pay", require=page)(lambda: None)  # type: ignore[call-arg]
    assert caught.value.remedy == "did you mean requires=?"


def test_titles_of_what_is_not_a_plain_function() -> None:
    class CallableObject:
        def __call__(self) -> None: ...

    assert default_title(lambda: None) == "Page"
    assert default_title(CallableObject()) == "Page"


@pytest.mark.parametrize(("first", "second"), [("/a", "/a"), ("/a", "/a/"), ("/", "/home")])
def test_two_pages_of_one_slug_are_refused_and_both_named(first: str, second: str) -> None:
    with pytest.raises(PageError, match=r"duplicate .*slug") as caught:
        registry(first, second)
    assert caught.value.message.count("test_registry.py:") == 2
    assert isinstance(caught.value, ValueError)


def test_a_page_below_a_page_is_refused_with_a_name_that_works() -> None:
    with pytest.raises(PageError) as caught:
        registry("/a/b")
    assert "/a-b" in caught.value.remedy


@pytest.mark.parametrize("path", ["/static", "/_stcore", "/media/", "/api"])
def test_paths_that_others_answer_are_refused(path: str) -> None:
    with pytest.raises(PageError, match="own"):
        PageRegistry().add(make_record(path, page), taken="/api")


def test_beside_an_api_at_the_root_or_elsewhere_a_page_may_have_the_name() -> None:
    PageRegistry().add(make_record("/api", page), taken="")
    PageRegistry().add(make_record("/apis", page), taken="/api")


def test_a_generator_would_show_nothing_and_must_be_allowed() -> None:
    def parts() -> Iterator[None]:
        yield

    async def more() -> AsyncIterator[None]:
        yield

    check_kind(make_record("/", parts), may_yield=True)
    with pytest.raises(PageError, match="generator") as caught:
        check_kind(make_record("/", parts), may_yield=False)
    assert "FLUXLIT_EXPERIMENTAL_YIELD_PAGES" in caught.value.remedy
    with pytest.raises(PageError, match="async generator"):
        check_kind(make_record("/", more), may_yield=True)


def test_two_default_pages_are_refused_and_both_named() -> None:
    pages = PageRegistry()
    pages.add(make_record("/a", page, {"default": True}))
    with pytest.raises(PageError, match="two default pages") as caught:
        pages.add(make_record("/b", page, {"default": True}))
    assert caught.value.message.count("test_registry.py:") == 2


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("  ", "no page address can hold"),
        ("/a?b", "no page address can hold"),
        ("/50%", "no page address can hold"),
        ("/users/{id", "braces"),
        ("/users/{a b}", "braces"),
        ("/x/{id}/{id}", "same name"),
        ("/{id}", "begins with a path parameter"),
    ],
)
def test_paths_that_no_address_can_hold_are_refused(path: str, told: str) -> None:
    with pytest.raises(PageError, match=told):
        registry(path)


@pytest.mark.parametrize(
    ("path", "works"),
    [
        ("/open orders", "/open-orders"),
        ('/"all"', "/all"),
        ("/a|b^c", "/a-b-c"),
        ("/a:b", "/a-b"),
        ("/\x00", "/open-orders"),
        ("/..", "/open-orders"),
    ],
)
def test_the_refusal_names_a_path_that_works(path: str, works: str) -> None:
    with pytest.raises(PageError, match="no page address can hold") as caught:
        registry(path)
    assert caught.value.remedy == f"use letters, digits and dashes: {works}"
    registry(works, "/größe", "/a~b&c")


def test_a_page_with_path_parameters_stands_beside_the_one_without() -> None:
    pages = list(registry("/users", "/users/{id}"))
    assert [(it.slug, it.visible) for it in pages] == [("users", True), ("users-by-id", False)]
    with pytest.raises(PageError, match="cannot be the default"):
        PageRegistry().add(make_record("/a/{id}", page, {"default": True}))


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    pages = tmp_path / "desk_under_test" / "pages"
    pages.mkdir(parents=True)
    (pages.parent / "__init__.py").touch()
    for name in ("__init__", "b", "a", "_hidden"):
        (pages / f"{name}.py").touch()
    (pages / "sub").mkdir()
    (pages / "sub" / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path))
    yield "desk_under_test"
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("desk_under_test")]:
        del sys.modules[name]


def test_discovery_imports_modules_by_name_and_skips_private_ones(package: str) -> None:
    found: list[ModuleType] = []
    assert discover("pages", package=package, register=found.append) == 2
    assert [module.__name__.rpartition(".")[2] for module in found] == ["a", "b"]


def test_discovery_needs_a_package() -> None:
    with pytest.raises(TypeError, match="must be a package"):
        discover("pages", package="json.decoder", register=lambda _: None)


def test_discovery_names_the_folder_it_cannot_import(package: str) -> None:
    with pytest.raises(ImportError, match=r"Cannot import page package 'desk_under_test\.nothing'"):
        discover("nothing", package=package, register=lambda _: None)

from __future__ import annotations

from typing import Any

import pytest

from fluxlit._paths import path_parameters
from fluxlit.pages.meta import PageMeta
from fluxlit.pages.navigation import Navigation, NavigationModel, arrange
from fluxlit.pages.plan import Grounds
from fluxlit.pages.records import PageOptions, PageRecord, make_record


def page(id: str = "") -> None: ...  # noqa: A002 - the path parameter's name


def record(path: str, **options: Any) -> PageRecord:
    return make_record(path, page, PageOptions(**options), Grounds(path=path_parameters(path)))  # type: ignore[typeddict-item]


def children(*paths: str) -> PageMeta:
    return PageMeta(children=[{"path": path} for path in paths])


def order(found: Navigation) -> str:
    return " ".join(entry.record.path for entry in found.entries)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (NavigationModel(), "/b / /a /c"),
        (NavigationModel(order=("/c", "b")), "/c /b /a /"),
        (NavigationModel(children={"/a": ["/b"]}), "/ /a /b /c"),
        (NavigationModel(children={"/a": ["/b"], "/b": ["/c"]}), "/ /a /b /c"),
        (NavigationModel(children={"/b": ["/c"]}), "/b /c / /a"),
    ],
)
def test_order(model: NavigationModel, expected: str) -> None:
    assert order(arrange([record(path) for path in ("/b", "/", "/a", "/c")], model)) == expected


def test_a_page_may_say_its_own_order_and_those_that_do_come_first() -> None:
    pages = [
        record("/a"),
        record("/b", page_meta={"order": 2}),
        record("/c", page_meta={"order": 1}),
    ]
    assert order(arrange(pages)) == "/c /b /a"


def test_a_child_gets_title_and_icon_of_its_entry_and_the_last_one_counts() -> None:
    named = [
        {"path": "/b", "title": "One", "icon": "1️⃣"},
        {"url_path": "b", "title": "Two"},
        {"path": "/a", "title": "Me"},
    ]
    pages = [record("/b", icon="📦"), record("/a", page_meta={"children": named})]
    found = arrange(pages)
    assert [(e.record.path, e.title, e.icon) for e in found.entries] == [
        ("/a", "Me", None),
        ("/b", "Two", "📦"),
    ]
    assert found.problems == ()


def test_a_circle_is_told_and_its_pages_keep_their_place_at_the_end() -> None:
    pages = [record("/a", page_meta=children("/b")), record("/b", page_meta=children("/a"))]
    found = arrange([*pages, record("/c")])
    assert order(found) == "/c /a /b"
    assert found.problems == ("navigation: cycle among the children of '/a', '/b'",)


def test_unknown_paths_are_told_with_the_place_where_they_stand() -> None:
    model = NavigationModel(
        order=("/a", "/x"), hidden=("/y",), sections={"S": ["/z"]}, children={"/a": ["/w"]}
    )
    found = arrange([record("/a", page_meta=children("/v"))], model)
    assert found.problems == (
        "NavigationModel.order: unknown path '/x'",
        "NavigationModel.hidden: unknown path '/y'",
        "NavigationModel.sections['S']: unknown path '/z'",
        "NavigationModel.children['/a']: unknown path '/w'",
        "page '/a': children: unknown path '/v'",
    )


def test_sections_and_hidden_pages() -> None:
    model = NavigationModel(sections={"Admin": ["/b"]}, hidden=("/c",))
    pages = [
        record("/"),
        record("/a", section="Sales"),
        record("/b", section="Sales"),
        record("/c"),
    ]
    found = arrange([*pages, record("/d", visible=False), record("/e/{id}")], model)
    assert [(e.record.slug, e.section, e.visible) for e in found.entries] == [
        ("home", "", True),
        ("a", "Sales", True),
        ("b", "Admin", True),
        ("c", "", False),
        ("d", "", False),
        ("e-by-id", "", False),
    ]


@pytest.mark.parametrize(
    ("paths", "default"),
    [
        (["/a", "/"], "/"),
        (["/a", "/b"], "/a"),
        (["/a/{id}", "/b"], "/b"),
        (["/a", "/b!"], "/b"),
        (["/", "/b!"], "/b"),
    ],
)
def test_the_page_at_the_root(paths: list[str], default: str) -> None:
    pages = [record(path.rstrip("!"), default=path.endswith("!")) for path in paths]
    assert [e.record.path for e in arrange(pages).entries if e.default] == [default]


def test_no_pages() -> None:
    assert arrange([]) == Navigation()

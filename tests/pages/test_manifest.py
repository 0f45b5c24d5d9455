from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any

import jsonschema
import pytest

from fluxlit import ApiClient, FluxLit, FluxlitSettings
from fluxlit.pages import Depends, NavigationModel, Query
from fluxlit.pages.manifest import (
    MANIFEST_V1_PAGE_ALLOWED_KEYS,
    MANIFEST_V1_ROOT_KEYS,
    build_page_manifest,
    manifest_schema,
)
from fluxlit.pages.validate import validate_fluxlit_pages


def who() -> str:
    return "ada"


def home(st: Any, client: ApiClient, limit: Annotated[int, Query()] = 3) -> None:
    """Show the desk."""


def users(st, name: Annotated[str, Depends(who)], loose: int = 1) -> None:  # type: ignore[no-untyped-def]
    ...


def desk(**settings: Any) -> FluxLit:
    app = FluxLit(title="Desk", settings=FluxlitSettings(**settings))
    app.page("/", icon="🏠", tags=["a"], page_meta={"children": [{"path": "/users"}]})(home)
    if not settings:
        app.page("/users", requires=who)(users)
    return app


def test_the_manifest_of_an_app() -> None:
    found = desk().build_page_manifest()
    assert found["pages"][0] == {
        "path": "/",
        "title": "Home",
        "tags": ["a"],
        "description": "Show the desk.",
        "icon": "🏠",
        "parameters": [
            {"name": "st", "annotation": "typing.Any"},
            {"name": "client", "annotation": "<class 'fluxlit.client.api_client.ApiClient'>"},
            {"name": "limit", "annotation": "<class 'int'>"},
        ],
        "dependencies": [],
        "children": [{"path": "/users"}],
    }
    second = found["pages"][1]
    assert second["parameters"][0] == {"name": "st", "annotation": "<class 'inspect._empty'>"}
    assert second["dependencies"] == [f"{__name__}.who"]
    assert found.keys() == MANIFEST_V1_ROOT_KEYS
    assert all(page.keys() <= MANIFEST_V1_PAGE_ALLOWED_KEYS for page in found["pages"])


def test_it_is_the_same_each_time_and_as_its_schema_says() -> None:
    first, second = (json.dumps(build_page_manifest(desk(), version=2)) for _ in range(2))
    assert first == second
    jsonschema.validate(json.loads(first), manifest_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(first), "more": 1}, manifest_schema())


DESCRIBES = """
import json
from typing import Annotated, Any
from fluxlit import FluxLit
from fluxlit.pages import Depends, build_page_manifest
def who() -> str: ...
app = FluxLit()
@app.page("/")
def home(st: Any, name: Annotated[str, Depends(who)], tags: list[Annotated[str, who]] = []): ...
print(json.dumps(build_page_manifest(app)))
"""


def test_two_processes_say_the_same_of_a_dependency() -> None:
    command = [sys.executable, "-c", DESCRIBES]
    first, second = (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)
    )
    assert first == second
    parameters = json.loads(first)["pages"][0]["parameters"]
    assert [it["annotation"] for it in parameters] == ["typing.Any", "<class 'str'>", "list[str]"]


def test_the_icon_is_the_one_that_the_navigation_shows() -> None:
    app = FluxLit()
    app.page("/", page_meta={"page_icon": "📦"})(home)
    assert app.build_page_manifest()["pages"][0]["icon"] == "📦"
    assert app.site().navigation.entries[0].icon == "📦"


def test_an_annotation_that_only_type_checkers_know_stands_as_it_is_written() -> None:
    app = FluxLit()

    def page(client: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    app.page("/")(page)
    (facts,) = app.build_page_manifest()["pages"]
    assert facts["parameters"] == [{"name": "client", "annotation": "Nowhere"}]


def test_validation_tells_what_is_wrong_and_nothing_if_all_is_well() -> None:
    app = desk()
    assert validate_fluxlit_pages(app) == []
    app.navigation(NavigationModel(order=("/x",)))
    assert validate_fluxlit_pages(app) == ["NavigationModel.order: unknown path '/x'"]


def test_strict_validation_tells_of_parameters_that_are_not_declared() -> None:
    (problem,) = validate_fluxlit_pages(desk(), strict_signatures=True)
    assert problem.startswith("/users: users: Unknown page parameter 'loose: int'")
    refused = validate_fluxlit_pages(desk(strict_page_signatures=True))
    assert refused == ["page '/': children: unknown path '/users'"]


def test_a_manifest_that_json_cannot_hold_is_told() -> None:
    app = FluxLit()
    app.page("/", page_meta={"children": [{"path": "/", "icon": object()}]})(home)
    (problem,) = validate_fluxlit_pages(app)
    assert problem.startswith("manifest JSON: ")


@pytest.mark.parametrize(
    ("icon", "is_wrong"),
    [
        ("notanicon", True),
        (":fire:", True),
        ("🔥", False),
        (":material/home:", False),
        (None, False),
    ],
)
def test_an_icon_that_no_menu_can_show_is_told(icon: str | None, is_wrong: bool) -> None:
    app = FluxLit()
    app.page("/", icon=icon, page_meta={"page_icon": "logo.png"})(lambda: None)
    told = [f"/: icon {icon!r} is no emoji and no ':material/name:'"] if is_wrong else []
    assert validate_fluxlit_pages(app) == told

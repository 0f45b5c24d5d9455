from __future__ import annotations

import gc
import os
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from streamlit.testing.v1 import AppTest

import fluxlit
from fluxlit import (
    FluxLit,
    FluxlitSettings,
    FluxLitTestClient,
    apptest_assert_no_errors,
    apptest_select_page,
    assert_no_streamlit_exception,
    streamlit_main_path,
)

DESK = """
    import os
    from fluxlit import FluxLit, FluxlitSettings, InMemorySessionStore, ensure_url_session

    app = FluxLit(title="Desk", settings=FluxlitSettings(url_session_query_param="desk"))
    store = InMemorySessionStore()

    @app.api.get("/answer")
    def answer() -> int:
        return 42

    @app.page("/")
    def home(st, client, limit: int = 10):
        st.write(f"{client.get('/answer').json()} of {limit}")
        if st.button("Again"):
            st.write(f"again {client.get('/answer').json()}")

    @app.page("/users")
    def users(st):
        st.write(ensure_url_session(st, store) or "no session")
        st.text_input("Name")

    @app.page("/plain")
    def plain(st, limit: int = 10):
        st.write(str(limit))

    @app.page("/bad")
    def bad(st):
        st.error("wrong")

    @app.page("/worse")
    def worse(st):
        raise ValueError("broken")
"""
TARGET = "desk_of_test_client:app"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "desk_of_test_client.py").write_text(textwrap.dedent(DESK))
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop("desk_of_test_client", None)


@pytest.fixture
def client(folder: Path) -> FluxLitTestClient:
    from fluxlit.runtime.loading import find_app  # noqa: PLC0415 - once the folder is there

    assert folder.is_dir()
    return FluxLitTestClient(find_app(TARGET))


def shown(at: AppTest) -> list[str]:
    return [item.value for item in at.markdown]


def test_a_page_and_its_calls_run_in_this_process(client: FluxLitTestClient) -> None:
    before = dict(os.environ)
    at = client.streamlit(target=TARGET, page_overrides={"limit": 3})
    assert shown(at) == ["42 of 3"]
    at.button[0].click().run()  # the surroundings hold for the runs of widgets, too
    assert shown(at) == ["42 of 3", "again 42"]
    client.assert_no_streamlit_exception(at)
    assert dict(os.environ) == before


def test_calls_reach_what_the_app_has_now(client: FluxLitTestClient) -> None:
    at = client.streamlit(target=TARGET)
    old, api = client.app.api, FastAPI()

    @api.get("/answer")
    def answer() -> int:
        return 43

    client.app.api = api
    try:
        assert shown(at.run()) == ["43 of 10"]
    finally:
        client.app.api = old


def test_one_server_answers_all_runs_and_ends_with_its_client(folder: Path) -> None:
    from fluxlit.runtime.loading import find_app  # noqa: PLC0415

    assert folder.is_dir()

    def servers() -> int:
        return sum(thread.name == "fluxlit-test-api" for thread in threading.enumerate())

    gc.collect()  # the clients of other tests
    before = servers()
    client = FluxLitTestClient(find_app(TARGET))
    assert servers() == before
    for _ in range(3):
        client.streamlit(target=TARGET)
        assert servers() == before + 1
    del client
    gc.collect()
    assert servers() == before


def test_another_api_can_be_named(client: FluxLitTestClient) -> None:
    at = client.streamlit(target=TARGET, internal_api_base="http://127.0.0.1:1/api")
    with pytest.raises(AssertionError, match=r"^st\.exception: "):
        apptest_assert_no_errors(at)


def test_pages_are_selected_as_links_do(
    client: FluxLitTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = client.streamlit(target=TARGET, query_params={"page": "Users"})
    assert shown(at) == ["no session"]
    monkeypatch.setenv("FLUXLIT_FORCE_URL_SESSION_IN_TESTS", "1")
    at = apptest_select_page(at, client, target=TARGET, page="/users")
    assert shown(at) == [at.query_params["desk"]]
    at.text_input[0].input("Ada").run()
    assert shown(at) == [at.query_params["desk"]]
    at = client.select_page(at, "Home", target=TARGET, page_overrides={"limit": 1})
    assert shown(at) == ["42 of 1"]


def test_what_a_page_shows_as_wrong_is_an_assertion(client: FluxLitTestClient) -> None:
    for page, told in (("/bad", "st.error: wrong"), ("/worse", "st.exception: broken")):
        at = client.streamlit(target=TARGET, query_params={"page": page})
        with pytest.raises(AssertionError, match=told):
            assert_no_streamlit_exception(at)


def test_a_plain_apptest_gets_its_surroundings_for_the_run(client: FluxLitTestClient) -> None:
    at = AppTest.from_file(streamlit_main_path(), default_timeout=30)
    at = client.select_page(at, "Users", target=TARGET)
    assert shown(at) == ["no session"]


def test_a_plain_apptest_needs_three_variables(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.is_dir()
    monkeypatch.setenv("FLUXLIT_APP", TARGET)
    monkeypatch.setenv("FLUXLIT_TESTS", "1")
    monkeypatch.setenv("FLUXLIT_TEST_PAGE_OVERRIDES", '{"limit": 7}')
    at = AppTest.from_file(streamlit_main_path(), default_timeout=30)
    at.query_params["page"] = "plain"
    assert shown(at.run()) == ["7"]


def test_an_app_around_a_script_is_tested_by_its_script(tmp_path: Path) -> None:
    script = tmp_path / "old.py"
    script.write_text("import streamlit as st\nst.write('old')\n")
    client = FluxLitTestClient(FluxLit(streamlit_script=script))
    assert shown(client.streamlit(target="old:app")) == ["old"]


@pytest.mark.parametrize("folders", ["one", "several"])
def test_the_target_may_be_elsewhere(folders: str, tmp_path: Path) -> None:
    name = f"elsewhere_{folders}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(DESK))
    path: Any = str(tmp_path) if folders == "one" else [str(tmp_path)]
    before = list(sys.path)
    client = FluxLitTestClient(FluxLit())
    at = client.streamlit(target=f"{name}:app", extra_sys_path=path, query_params={"page": "Users"})
    assert shown(at) == ["no session"]
    assert sys.path == before


@pytest.mark.parametrize(
    ("client", "path"),
    [
        (FluxLitTestClient(FluxLit()), "/api/healthz"),
        (FluxLitTestClient(FluxLit(), api_prefix="v1/"), "/v1/healthz"),
        (FluxLitTestClient(FluxLit(), root_mount="/desk"), "/desk/api/healthz"),
        (FluxLitTestClient(FluxLit()).with_root_path("desk"), "/desk/api/healthz"),
        (
            FluxLitTestClient(FluxLit(settings=FluxlitSettings(api_mount_path="/own"))),
            "/own/healthz",
        ),
    ],
)
def test_the_api_is_asked_where_its_users_find_it(client: FluxLitTestClient, path: str) -> None:
    assert client.api_get("healthz").json() == {"status": "ok"}
    assert client.api_get("/healthz").url.path == path
    assert client.api_post("/healthz").status_code == 405
    assert client.api_get("/healthz", root_path="/m").url.path.startswith("/m/")
    assert client.api.get("/media/x").status_code == 502
    client.assert_docs_available()
    client.assert_docs_available(root_path="/m")
    assert client.openapi()["paths"] == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [({"openapi_url": None}, "OpenAPI JSON"), ({"docs_url": None}, "Swagger UI not available")],
)
def test_an_api_that_does_not_document_itself(arguments: dict[str, Any], told: str) -> None:
    client = FluxLitTestClient(FluxLit(api=FastAPI(**arguments)))
    with pytest.raises(AssertionError, match=told):
        client.assert_docs_available()


def test_a_document_that_is_none() -> None:
    api = FastAPI(openapi_url=None)
    api.get("/openapi.json")(list)
    with pytest.raises(TypeError, match="list"):
        FluxLitTestClient(FluxLit(api=api)).openapi()


def test_the_lifespan_runs_in_a_block() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        seen.append("begun")
        yield
        seen.append("over")

    client = FluxLitTestClient(FluxLit(fastapi_kwargs={"lifespan": lifespan}))
    client.api_get("/healthz")
    assert seen == []
    with client.api as api:
        assert api.get("/api/healthz").status_code == 200
    assert seen == ["begun", "over"]


def test_the_names_are_at_the_front_door() -> None:
    for name in fluxlit.testing.__all__:
        assert getattr(fluxlit, name) is getattr(fluxlit.testing, name)

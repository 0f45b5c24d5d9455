from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, cast, get_origin

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fluxlit import ApiClient, FluxLit, FluxlitSettings
from fluxlit.exceptions import ConfigurationError, PageError, PageSignatureError
from fluxlit.gateway.options import GatewayOptions
from fluxlit.pages.di import resolve_and_call_page
from fluxlit.pages.markers import Depends
from fluxlit.pages.navigation import NavigationModel
from fluxlit.sidecar import spec_beside
from fluxlit.stores import SessionStore


class MySettings(FluxlitSettings):
    colour: str = "blue"


def test_the_title_reaches_the_api_and_leaves_a_shared_settings_object_alone() -> None:
    shared = FluxlitSettings()
    first, second = FluxLit(title="One", settings=shared), FluxLit(settings=shared)
    assert (first.api.title, first.settings.title) == ("One", "One")
    assert (second.api.title, shared.title) == ("FluxLit", "FluxLit")


def test_settings_keep_their_class() -> None:
    app = FluxLit[MySettings](settings=MySettings(colour="red"))
    assert app.settings.colour == "red"


def test_an_app_of_a_settings_class_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_COLOUR", "green")
    app = FluxLit[MySettings](title="Desk")
    assert (app.settings.colour, app.settings.title) == ("green", "Desk")
    assert isinstance(app, FluxLit)
    assert get_origin(FluxLit[MySettings]) is FluxLit

    class Desk(FluxLit[MySettings]):
        pass

    assert Desk(settings=MySettings(colour="red")).settings.colour == "red"


def test_streamlit_arguments_join_those_of_the_settings() -> None:
    settings = FluxlitSettings(
        streamlit_run_cli_args=["--a"], streamlit_page_config={"layout": "wide", "page_icon": "x"}
    )
    app = FluxLit(
        settings=settings, streamlit_run_args=["--b"], streamlit_page_config={"page_icon": "y"}
    )
    assert app.settings.streamlit_run_cli_args == ["--a", "--b"]
    assert app.settings.streamlit_page_config == {"layout": "wide", "page_icon": "y"}


def test_pages_are_listed_in_order_and_the_function_stays_itself() -> None:
    app = FluxLit()

    def home(st: Any) -> None: ...

    assert app.page("/", title="Start", icon="🏠")(home) is home

    @app.page("/users", tags=["people"])
    def users(st: Any) -> None: ...

    assert app.pages == [("/", "Start", home), ("/users", "Users", users)]
    assert [(page.icon, page.tags) for page in app.page_records] == [
        ("🏠", ()),
        (None, ("people",)),
    ]


def test_one_run_of_the_ui_is_given_app_settings_urls_and_a_client() -> None:
    app = FluxLit(settings=MySettings())
    provided = app.site().provided
    assert provided[FluxLit] is app
    assert provided[FluxlitSettings] is app.settings
    assert isinstance(app.site().make_client(), ApiClient)


def test_an_adopted_api_is_served_itself_with_its_own_middleware_and_routes() -> None:
    existing = FastAPI(title="Mine")

    @existing.get("/users")
    def users() -> list[str]:
        return ["Ada"]

    app = FluxLit(title="Desk", api=existing)
    assert app.api is existing
    assert existing.title == "Mine"
    client = TestClient(app.api)
    assert client.get("/users").json() == ["Ada"]
    assert client.get("/healthz").json() == {"status": "ok"}


def test_an_adopted_api_and_arguments_for_a_new_one_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="fastapi_kwargs"):
        FluxLit(api=FastAPI(), fastapi_kwargs={"version": "2"})


def test_a_script_must_exist_and_has_no_pages_beside_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        FluxLit(streamlit_script=tmp_path / "nothing.py")
    script = tmp_path / "dashboard.py"
    script.touch()
    app = FluxLit(streamlit_script=script)
    assert app.streamlit_script == script
    with pytest.raises(PageError, match=r"dashboard\.py instead of pages"):
        app.page("/")


def test_cors_is_off_unless_origins_are_named() -> None:
    origin = {"Origin": "https://other.example"}
    plain = TestClient(FluxLit().api).get("/healthz", headers=origin)
    assert "access-control-allow-origin" not in plain.headers
    named = FluxLit(settings=FluxlitSettings(cors_allow_origins=["https://other.example"]))
    answer = TestClient(named.api).get("/healthz", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "https://other.example"


def test_the_command_line_beats_the_code() -> None:
    app = FluxLit(settings=FluxlitSettings(gateway_port=9000))
    app.override_settings({"gateway_port": 9001})
    assert app.settings.gateway_port == 9001


def test_the_gateway_is_told_the_settings() -> None:
    settings = FluxlitSettings(
        root_path="/m", trust_proxy=True, gateway_max_proxy_request_body_bytes=7
    )
    app = FluxLit(settings=settings)
    app.page("/docs")(lambda: None)
    paths = app._docs_paths()
    options = GatewayOptions.from_settings(app.settings, docs_paths=paths, internal_socket="")
    assert (options.mount, options.prefix, options.max_body_bytes) == ("/m", "/api", 7)
    assert options.trusted_proxies == ("127.0.0.1", "::1")
    assert options.docs_paths == {"/redoc", "/openapi.json"}


def test_the_docs_are_found_at_the_root_only_where_nothing_else_is(tmp_path: Path) -> None:
    assert FluxLit()._docs_paths() == {"/docs", "/redoc", "/openapi.json"}
    assert FluxLit(api=FastAPI(docs_url="/help", redoc_url=None))._docs_paths() == {"/openapi.json"}
    script = tmp_path / "dashboard.py"
    script.touch()
    assert FluxLit(streamlit_script=script)._docs_paths() == frozenset()


def test_origins_of_the_api_s_cors_do_not_open_the_ui_s_websocket() -> None:
    settings = FluxlitSettings(cors_allow_origins=["*"], ui_allowed_origins=["https://a.example"])
    options = GatewayOptions.from_settings(settings, docs_paths=frozenset(), internal_socket="")
    assert options.allowed_origins == ("https://a.example",)


def test_what_fails_while_it_builds_itself_is_a_failed_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, sent = FluxLit(), []

    def broken() -> None:
        raise ConfigurationError("no such thing", remedy="mend it")

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    monkeypatch.setattr(app, "_standalone", broken)
    asyncio.run(app({"type": "lifespan"}, receive, send))
    failed = {"type": "lifespan.startup.failed", "message": "no such thing\nmend it"}
    assert sent == [failed]


def test_it_finds_out_where_it_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def target(said: str | None = None) -> str:
        return spec_beside(app, said, development=False).target

    monkeypatch.delenv("FLUXLIT_APP", raising=False)
    module = ModuleType("desk_for_locating")
    module.service = app = FluxLit()  # type: ignore[attr-defined]
    assert target() == "app:app"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert target() == "desk_for_locating:service"
    monkeypatch.setenv("FLUXLIT_APP", "said:app")
    assert target() == "said:app"
    assert target("given:app") == "given:app"
    assert FluxLit(import_target=" given:app ").import_target == "given:app"


def test_a_page_that_asks_for_a_session_store_needs_an_app_that_has_one() -> None:
    def page(store: SessionStore) -> None: ...

    with pytest.raises(PageSignatureError, match="needs a SessionStore, and the app has none"):
        FluxLit().page("/")(page)

    class Kept(dict[str, Any]):
        def set(self, session_id: str, data: Any, *, ttl_seconds: float | None = None) -> None: ...
        def delete(self, session_id: str) -> None: ...

    app = FluxLit(session_store=cast("SessionStore", Kept()))
    app.page("/")(page)
    assert app.site().provided[SessionStore] is app.session_store


def test_annotations_of_names_that_are_local_to_the_place_of_registration() -> None:
    app = FluxLit()

    def answer() -> int:
        return 42

    @app.page("/")
    def page(number: Annotated[int, Depends(answer)]) -> int:
        return number

    assert resolve_and_call_page(app.page_records[0], None, None, app) == 42
    app.dependency_overrides[answer] = lambda: 43
    assert resolve_and_call_page(app.page_records[0], None, None, app) == 43


def test_the_site_is_made_once_and_anew_when_something_has_changed() -> None:
    app = FluxLit()
    app.page("/")(lambda: None)
    first = app.site()
    assert app.site() is first
    app.page("/b")(lambda: None)
    assert [entry.record.path for entry in app.site().navigation.entries] == ["/", "/b"]
    app.navigation(NavigationModel(hidden=("/b",)))
    assert [entry.visible for entry in app.site().navigation.entries] == [True, False]
    second = app.site()
    app.override_settings({"title": "Other"})
    assert second.title != "Other"
    assert app.site().title == "Other"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"root_path": "/desk"}, "subpath_without_trust_proxy"),
        ({"debug": True}, "debug_in_production"),
    ],
)
def test_a_strict_start_under_a_foreign_server_is_refused(
    settings: dict[str, Any], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLUXLIT_STRICT_STARTUP", "1")
    app = FluxLit(settings=FluxlitSettings(**settings))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "lifespan"}, receive, send))
    [message] = sent
    assert message["type"] == "lifespan.startup.failed"
    assert f"strict_startup: {rule}" in message["message"]

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from tests.support.servers import serving

from fluxlit import FluxlitSettings
from fluxlit._types import JsonValue, Receive, Scope, Send
from fluxlit.health import Probe, Readiness, add_health_routes, probe_streamlit_ready, verdict


def served(api: FastAPI, readiness: Readiness | None = None) -> TestClient:
    add_health_routes(api, readiness or Readiness())
    return TestClient(api)


def test_both_answer_and_stay_out_of_the_api_s_document() -> None:
    client = served(FastAPI())
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.head("/healthz").status_code == 200
    assert client.get("/readyz").json() == {"status": "ready", "streamlit": "not_configured"}
    assert client.get("/openapi.json").json()["paths"] == {}


def test_readiness_says_what_the_ui_says() -> None:
    readiness = Readiness()
    client = served(FastAPI(), readiness)

    async def probe() -> list[Probe]:
        return [Probe("ui-0", ok=True), Probe("ui-1", ok=False, detail="gone")]

    readiness.prober = probe
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


class House:
    """A gateway and a service, as they are seen from the routes."""

    def __init__(self, phase: str) -> None:
        self._phase = phase
        self.asked = 0

    async def probe(self) -> list[Probe]:
        self.asked += 1
        return [Probe("ui-0", ok=True)]

    def is_internal(self, scope: Scope) -> bool:
        return (b"from", b"inside") in scope["headers"]

    def phase(self) -> str:
        return self._phase

    def describe(self) -> dict[str, JsonValue]:
        return {"version": "1"}


@pytest.mark.parametrize(
    ("phase", "status", "told"),
    [("starting", 503, "starting"), ("ready", 200, "ready"), ("draining", 503, "draining")],
)
def test_readiness_follows_the_life_of_the_service(phase: str, status: int, told: str) -> None:
    readiness, house = Readiness(), House(phase)
    readiness.watch(house, house, told_to_all=False)
    client = served(FastAPI(), readiness)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (status, told)
    assert answer.headers["cache-control"] == "no-store"
    assert house.asked == (phase != "draining")  # there is nothing more to hear
    assert client.get("/healthz").status_code == 200


def test_the_workers_are_told_of_inside_and_elsewhere_if_that_is_wanted() -> None:
    readiness, house = Readiness(), House("ready")
    client = served(FastAPI(), readiness)
    path = "/healthz/workers"
    assert client.get(path, headers={"from": "inside"}).status_code == 404  # there is no service
    readiness.watch(house, house, told_to_all=False)
    stranger = client.get(path)
    assert (stranger.status_code, stranger.json()) == (404, client.get("/nothing").json())
    assert client.get(path, headers={"from": "inside"}).json() == {"version": "1"}
    readiness.watch(house, house, told_to_all=True)
    assert client.get(path).json() == {"version": "1"}


WELL = Probe("ui-0", ok=True)
ILL = Probe("ui-1", ok=False, detail="no answer within 2 s")
WELL_TOLD = {"name": "ui-0", "status": "ok"}
ILL_TOLD = {"name": "ui-1", "status": "down", "detail": "no answer within 2 s"}


@pytest.mark.parametrize(
    ("probes", "status", "answer"),
    [
        ([WELL], 200, {"status": "ready", "streamlit": "ok", "workers": [WELL_TOLD]}),
        (
            [WELL, ILL],
            200,
            {
                "status": "degraded",
                "streamlit": "ok",
                "detail": "ui-1: no answer within 2 s",
                "workers": [WELL_TOLD, ILL_TOLD],
            },
        ),
        (
            [ILL],
            503,
            {
                "status": "not_ready",
                "detail": "ui-1: no answer within 2 s",
                "workers": [ILL_TOLD],
            },
        ),
        (
            [],
            503,
            {"status": "not_ready", "detail": "there is no UI worker yet", "workers": []},
        ),
    ],
)
def test_the_verdict_on_all_workers(
    probes: list[Probe], status: int, answer: dict[str, object]
) -> None:
    assert verdict(probes) == (status, answer)


def test_a_service_starts_until_it_has_been_ready() -> None:
    assert verdict([WELL, ILL], starting=True) == (
        503,
        {
            "status": "starting",
            "detail": "ui-1: no answer within 2 s",
            "workers": [WELL_TOLD, ILL_TOLD],
        },
    )
    assert verdict([WELL], starting=True)[1]["detail"] == "not every worker has been ready yet"


def test_a_mount_that_takes_everything_does_not_swallow_them() -> None:
    api = FastAPI()
    api.router.routes.append(Mount("/", app=PlainTextResponse("all mine")))
    client = served(api)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/other").text == "all mine"


def test_they_move_behind_routes_that_came_later_and_are_there_once() -> None:
    api, readiness = FastAPI(), Readiness()
    add_health_routes(api, readiness)

    @api.get("/users")
    def users() -> list[str]:
        return []

    add_health_routes(api, readiness)
    paths = [getattr(route, "path", "") for route in api.router.routes]
    ours = ["/healthz", "/readyz", "/healthz/workers", "/healthz/request"]
    assert paths[-5:] == ["/users", *ours]
    assert paths.count("/healthz") == 1


def test_a_mount_that_came_later_does_not_swallow_them_either() -> None:
    api, readiness = FastAPI(), Readiness()
    add_health_routes(api, readiness)
    api.router.routes.insert(0, Mount("/", app=PlainTextResponse("all mine")))
    assert served(api, readiness).get("/readyz").status_code == 200


def test_a_route_of_the_api_s_own_is_left_alone() -> None:
    api = FastAPI()

    @api.get("/healthz")
    def mine() -> str:
        return "mine"

    client = served(api)
    assert client.get("/healthz").json() == "mine"
    assert client.get("/readyz").status_code == 200


class Server:
    """Answers at one path as a Streamlit server does, and notes what was asked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        status = 200 if scope["path"] == self.path else 404
        await PlainTextResponse("ok", status)(scope, receive, send)


@pytest.mark.parametrize(
    ("serves", "mount", "expected"),
    [
        ("/_stcore/health", "", (True, "ok")),
        ("/desk/_stcore/health", "/desk", (True, "ok")),
        ("/_stcore/health", "/desk", (True, "ok")),
        (
            "/x",
            "/desk",
            (False, "upstream_http_failed /_stcore/health:404;/desk/_stcore/health:404"),
        ),
        ("/x", "", (False, "upstream_http_failed /_stcore/health:404")),
    ],
)
def test_a_streamlit_server_elsewhere_is_asked(
    serves: str, mount: str, expected: tuple[bool, str]
) -> None:
    with serving(Server(serves)) as (_, port):
        settings = FluxlitSettings(root_path=mount) if mount else None
        told = asyncio.run(
            probe_streamlit_ready(
                upstream=f"http://127.0.0.1:{port}/", settings=settings, timeout_s=10
            )
        )
    assert told == expected


def test_one_ready_server_of_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Server("/_stcore/health")) as (_, port):
        urls = ["http://127.0.0.1:9", f"http://127.0.0.1:{port}"]
        monkeypatch.setenv("FLUXLIT_STREAMLIT_UPSTREAM", ", ".join(urls))
        assert asyncio.run(probe_streamlit_ready(timeout_s=10)) == (True, "ok")
        settings = FluxlitSettings(ui_mode="remote", streamlit_upstream=urls[:1])
        assert asyncio.run(probe_streamlit_ready(settings=settings))[0] is False


def test_a_streamlit_server_that_is_not_there() -> None:
    ready, detail = asyncio.run(probe_streamlit_ready(upstream="http://127.0.0.1:9"))
    assert not ready
    assert detail
    assert asyncio.run(probe_streamlit_ready(upstream=" ")) == (True, "not_configured")
    assert asyncio.run(probe_streamlit_ready()) == (True, "not_configured")
    assert asyncio.run(probe_streamlit_ready(upstream="ftp://a"))[0] is False

from __future__ import annotations

import json
import socket
import time

import httpx2
import pytest

from fluxlit._types import JsonValue
from fluxlit.diagnostics import live
from fluxlit.diagnostics.live import Answer, Place, examine

PLACE = Place("https://desk.example/apps/x")
HTML = '<script src="./static/js/index.1.js"></script>'


def answer(status: int = 200, text: str = "", **headers: str) -> Answer:
    spelt = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, text, httpx2.Headers(spelt))


def told(**changes: object) -> dict[str, JsonValue]:
    calm = {
        "scheme": "https",
        "host": "desk.example",
        "client": "private",
        "forwarded": {"named": True, "believed": True},
        "time": time.time(),
    }
    return json.loads(json.dumps(calm | changes))  # type: ignore[no-any-return]


def levels(findings: object) -> dict[str, str]:
    return {finding.name: finding.level.status for finding in findings}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seen", "row", "status"),
    [
        (told(), "live.scheme", "PASS"),
        (told(scheme="http"), "live.scheme", "FAIL"),
        (told(), "live.host", "PASS"),
        (told(host="DESK.example"), "live.host", "PASS"),
        (told(host="127.0.0.1:8000"), "live.host", "FAIL"),
        (told(), "live.client", "PASS"),
        (told(forwarded={"named": False, "believed": False}), "live.client", "PASS"),
        (told(forwarded={"named": True, "believed": False}), "live.client", "WARN"),
        (told(forwarded=None), "live.client", "PASS"),
    ],
)
def test_how_the_service_sees_a_request(seen: dict[str, JsonValue], row: str, status: str) -> None:
    assert levels(live.forwarded(PLACE, seen))[row] == status


@pytest.mark.parametrize(("skew", "status"), [(0, "PASS"), (60, "WARN"), (-60, "WARN")])
def test_clocks(skew: float, status: str) -> None:
    assert levels(live.clock(told(time=time.time() + skew))) == {"live.clock": status}


@pytest.mark.parametrize(
    ("got", "status"),
    [
        (answer(200, "<html>", content_type="text/html"), "PASS"),
        (answer(200, "{}", content_type="application/json"), "FAIL"),
        (answer(302, location="/login"), "FAIL"),
        (answer(502), "FAIL"),
    ],
)
def test_the_ui_s_root(got: Answer, status: str) -> None:
    assert levels(live.reachable(PLACE, got)) == {"live.reachable": status}


@pytest.mark.parametrize(
    ("mount", "script", "found"),
    [
        (
            "/apps/x",
            answer(content_type="text/javascript", content_encoding="gzip"),
            {"live.sub_path": "PASS", "live.compression": "PASS"},
        ),
        (
            None,
            answer(content_type="text/javascript"),
            {"live.sub_path": "PASS", "live.compression": "WARN"},
        ),
        ("/apps/x", answer(200, "<html>", content_type="text/html"), {"live.sub_path": "FAIL"}),
        ("/apps/x", answer(404), {"live.sub_path": "FAIL"}),
        ("", answer(), {"live.sub_path": "FAIL"}),
    ],
)
def test_the_sub_path(mount: str | None, script: Answer, found: dict[str, str]) -> None:
    asked = []

    def fetch(url: str) -> Answer:
        asked.append(url)
        return script

    seen = levels(live.sub_path(PLACE, answer(text=HTML), fetch, mount))
    assert seen == found
    assert mount == "" or asked == ["https://desk.example/apps/x/static/js/index.1.js"]


def test_probes_that_answer_something_else() -> None:
    def fetch(url: str) -> Answer:
        status = {"healthz": (200, '{"status": "ok"}'), "readyz": (503, '{"detail": "ui-0 gone"}')}
        return answer(*status[url.rpartition("/")[2]])

    found = list(live.probes(PLACE, fetch))
    assert levels(found) == {"live.health": "PASS", "live.ready": "FAIL"}
    assert "503: ui-0 gone" in found[1].message


def test_a_service_that_does_not_reflect() -> None:
    found = levels(live.reflected(PLACE, lambda _: answer(404, "[]")))
    assert found == {"live.forwarded": "WARN"}


def test_an_address_where_nobody_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert levels(examine(Place(f"http://127.0.0.1:{port}"))) == {"live.reachable": "FAIL"}
    assert levels(examine(Place("http://:x"))) == {"live.reachable": "FAIL"}


def test_credentials_are_sent_to_the_place_and_shown_to_nobody() -> None:
    place = Place.at("https://me:s%40cret@desk.example/x/", "/v1", "/ui")
    assert (place.ui, place.api) == ("https://desk.example/x/ui/", "https://desk.example/x/v1")
    assert place.authorization() == {"Authorization": "Basic bWU6c0BjcmV0"}
    assert "cret" not in repr(place)
    assert Place.at("https://desk.example").authorization() == {}
    assert Place.at("http://me:pw@[broken").url == "http://[broken"

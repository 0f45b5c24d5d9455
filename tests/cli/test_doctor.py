from __future__ import annotations

import json
import socket

import pytest
from tests.cli.conftest import MakeDesk

PAGES = """
from fluxlit import FluxLit
app = FluxLit()

@app.page("/")
def home(st):
    st.title("Home")
"""
FREE = ("--port", "0")


def test_a_fine_app_passes_strictly(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES)
    status, seen = desk.json("doctor", "--strict", *FREE)
    assert [check for check in seen["checks"] if check["status"] != "PASS"] == []
    assert (status, seen["status"], seen["target"]) == (0, "pass", desk.target)
    assert seen["warnings_only"] is False
    assert "verbose" not in seen


@pytest.mark.parametrize(
    ("options", "status", "verdict"),
    [
        ((), 0, "warn"),
        (("--strict",), 1, "fail"),
        (("--strict", "--warnings-only"), 0, "warn"),
    ],
)
def test_a_doubtful_one(
    make_desk: MakeDesk, options: tuple[str, ...], status: int, verdict: str
) -> None:
    desk = make_desk(PAGES, toml='root_path = "/desk"')
    found, seen = desk.json("doctor", *FREE, *options)
    assert (found, seen["status"]) == (status, verdict)
    [row] = [check for check in seen["checks"] if check["name"] == "proxy_headers"]
    assert row["code"] == "subpath_without_trust_proxy"
    assert row["remedy"] == "set trust_proxy and forwarded_allow_ips"


def test_an_app_that_fails_is_a_row_with_the_user_s_own_lines(make_desk: MakeDesk) -> None:
    desk = make_desk("import no_such_library")
    status, seen = desk.json("doctor", "--verbose")
    assert status == 1
    [row] = [check for check in seen["checks"] if check["status"] == "FAIL"]
    assert row["name"] == "import_target"
    assert "no_such_library" in row["detail"]
    assert seen["verbose"] == {"resolved_target": desk.target, "import_failed": True}
    assert desk.json("doctor", "--warnings-only")[0] == 0


def test_more_about_the_app(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES, env="FLUXLIT_OIDC_BFF_SECRET=s3cret-s3cret", toml="gateway_port = 0")
    _, seen = desk.json("doctor", "--verbose")
    more = seen["verbose"]
    assert more.keys() == {
        "resolved_target", "pages", "settings_redacted", "effective", "openapi", "extras",
        "streamlit_sidecar", "gateway_proxy", "project_defaults",
    }  # fmt: skip
    assert more["pages"] == [{"path": "/", "title": "Home"}]
    assert more["project_defaults"] == {"gateway_port": 0}
    assert "experimental_yield_pages" in {check["name"] for check in seen["checks"]}
    assert "s3cret" not in json.dumps(seen)


def test_for_people(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES, toml='root_path = "/desk"')
    status, out, err = desk.run("doctor", desk.target, "-v", *FREE)
    assert (status, err) == (0, "")
    assert out.startswith(f"FluxLit doctor: {desk.target}\n")
    assert "PASS  import_target: " in out
    assert "WARN  proxy_headers: /desk means a proxy in front" in out
    assert "try: set trust_proxy" in out
    assert "passed, 2 warned, 0 failed" in out


def test_a_live_address_is_a_url(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES)
    status, _, err = desk.run("doctor", desk.target, "--live", "desk.example")
    assert status == 2
    assert "http://" in err
    status, _, err = desk.run("doctor", "--live", "https://desk.example/?token=s3cret")
    assert (status, "without a query" in err) == (2, True)
    assert "s3cret" not in err


def test_a_far_service_needs_no_app_here(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES)
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    status, out, _ = desk.run("doctor", "--live", url)
    assert status == 1
    assert out.startswith(f"FluxLit doctor: {url}\n")
    assert "import_target" not in out
    assert "FAIL  live.reachable" in out
    assert "FAIL  import_target" in desk.run("doctor", "no_such:app", "--live", url)[1]


def test_strictness_is_asked_of_the_pages_too(make_desk: MakeDesk) -> None:
    desk = make_desk(PAGES.replace("def home(st)", "def home(st, limit: int = 3)"))
    for option in ("--check-pages", "--strict"):
        assert desk.json("doctor", *FREE, option)[0] == 0
    status, seen = desk.json("doctor", *FREE, "--strict", "--check-pages")
    [row] = [check for check in seen["checks"] if check["status"] != "PASS"]
    assert (status, row["name"]) == (1, "pages_validate")
    assert "Unknown page parameter 'limit: int'" in row["detail"]

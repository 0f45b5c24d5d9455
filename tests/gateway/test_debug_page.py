from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.harness import BuildHouse

from fluxlit.config import FluxlitSettings
from fluxlit.gateway import GatewayOptions
from fluxlit.gateway.debug_page import REMEMBERED, is_from_here


def options(**settings: Any) -> GatewayOptions:
    return GatewayOptions.from_settings(
        FluxlitSettings(**settings), docs_paths=frozenset(), internal_socket=""
    )


def headers(*more: tuple[str, str], host: str = "localhost:8000") -> list[tuple[bytes, bytes]]:
    said = [("host", host), *more] if host else [*more]
    return [(name.encode(), value.encode()) for name, value in said]


@pytest.mark.parametrize(
    ("client", "given", "is_here"),
    [
        (("127.0.0.1", 1), headers(), True),
        (("::1", 1), headers(host="[::1]:8000"), True),
        (None, headers(host="127.0.0.1"), True),
        (("10.0.0.1", 1), headers(), False),
        (("127.0.0.1", 1), headers(host="rebound.example:8000"), False),
        (("127.0.0.1", 1), headers(("x-forwarded-for", "10.0.0.1")), False),
        (("127.0.0.1", 1), headers(("forwarded", "for=10.0.0.1")), False),
        (("127.0.0.1", 1), headers(("via", "1.1 proxy")), False),
        (("127.0.0.1", 1), headers(("x-forwarded-proto", "https")), False),
        (("127.0.0.1", 1), headers(("cf-connecting-ip", "10.0.0.1")), False),
    ],
)
def test_whose_request_is_of_this_machine(
    client: tuple[str, int] | None, given: list[tuple[bytes, bytes]], is_here: bool
) -> None:
    assert is_from_here({"client": client, "headers": given}) is is_here


def test_a_proxy_that_says_nothing_is_known_by_its_old_protocol() -> None:
    """An nginx with ``proxy_pass`` and nothing else."""
    scope = {"client": ("127.0.0.1", 1), "headers": headers(host="127.0.0.1:8000")}
    assert is_from_here({**scope, "http_version": "1.1"})
    assert not is_from_here({**scope, "http_version": "1.0"})


@pytest.mark.integration
def test_a_developer_sees_the_settings_and_where_requests_went(house: BuildHouse) -> None:
    secret = "s3cret" * 8
    home = house(options(debug=True, root_path="/m", jwt_hs256_secret=secret))
    for number in range(REMEMBERED):
        home.server.get(b"/m/api/%d" % number)
    home.server.get(b"/m/media/x?token=s3cret")
    reply = home.server.get(b"/m/__fluxlit/debug", b"Host: localhost")
    assert reply.status == 200
    assert reply.header(b"cache-control") == b"no-store"
    assert b"s3cret" not in reply.body
    told = json.loads(reply.body)
    assert told["fluxlit_debug"] is True
    assert told["gateway"] == {"api_prefix": "/api", "root_mount": "/m"}
    assert told["settings"]["jwt_hs256_secret"] == "[REDACTED]"
    recent = told["recent_dispatches"]
    assert len(recent) == REMEMBERED
    assert recent[0]["path"] == "/m/api/1"
    assert {key: recent[-1][key] for key in ("dispatch", "path", "status")} == {
        "dispatch": "streamlit", "path": "/m/media/x", "status": 200,
    }  # fmt: skip


@pytest.mark.integration
def test_others_find_nothing(house: BuildHouse) -> None:
    home = house(options(debug=True))
    assert home.server.get(b"/__fluxlit/debug", b"Host: desk.example").status == 404
    home = house(options())
    assert home.server.get(b"/__fluxlit/debug", b"Host: localhost").status == 404
    assert home.upstream.heads == []

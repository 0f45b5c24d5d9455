from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from fluxlit.auth import (
    bearer_headers_from_session,
    exchange_auth_code_from_query,
    prepare_streamlit_api_client,
)
from fluxlit.client import ApiClient, ApiError

KEY = "fluxlit_access_token"
BROWSER = "b" * 43
ON_HTTPS = f"host.{BROWSER}"


class Api(httpx2.MockTransport):
    """Answers the exchange, and tells what it was sent."""

    def __init__(self, status: int = 200, body: Any = None) -> None:
        self.status, self.body = status, {"access_token": "t0k3n"} if body is None else body
        self.seen: list[httpx2.Request] = []
        super().__init__(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        return httpx2.Response(self.status, json=self.body)

    def client(self) -> ApiClient:
        return ApiClient(transport=self, environ={})


def page(cookies: Any = None, **query: str) -> SimpleNamespace:
    st = SimpleNamespace(query_params=query, session_state={})
    if cookies is not None:
        st.context = SimpleNamespace(cookies=cookies)
    return st


def test_no_code_no_exchange() -> None:
    api = Api()
    assert exchange_auth_code_from_query(page(tab="1"), api.client()) is None
    assert api.seen == []


def test_a_code_becomes_a_token_that_is_kept() -> None:
    api, st = Api(), page(auth_code="the-code", tab="1")
    assert exchange_auth_code_from_query(st, api.client()) == "t0k3n"
    assert st.session_state == {KEY: "t0k3n"}
    assert st.query_params == {"tab": "1"}
    [request] = api.seen
    assert (request.method, request.url.path) == ("POST", "/api/auth/exchange")
    assert json.loads(request.content) == {"code": "the-code"}


@pytest.mark.parametrize(
    ("cookies", "browser"),
    [
        ({"fluxlit-login": BROWSER}, BROWSER),
        ({"__Host-fluxlit-login": ON_HTTPS, "fluxlit-login": "x" * 43}, ON_HTTPS),
        ({"fluxlit-login": ON_HTTPS}, ""),
        ({"__Host-fluxlit-login": BROWSER}, ""),
        ({}, ""),
        ({"fluxlit-login": "nonsense"}, ""),
    ],
)
def test_the_browser_is_told_where_there_is_one(cookies: dict[str, str], browser: str) -> None:
    api, st = Api(), page(cookies, auth_code="the-code")
    exchange_auth_code_from_query(st, api.client())
    assert json.loads(api.seen[0].content)["browser"] == browser


def test_names_and_paths_of_ones_own() -> None:
    api, st = Api(), page(c="the-code")
    exchange_auth_code_from_query(
        st, api.client(), exchange_path="/swap", query_key="c", session_key="token"
    )
    assert (st.session_state, st.query_params) == ({"token": "t0k3n"}, {})
    assert api.seen[0].url.path == "/api/swap"


@pytest.mark.parametrize(("status", "left"), [(401, {}), (422, {}), (503, {"auth_code": "code"})])
def test_a_refused_code_is_gone_and_one_that_could_not_be_asked_for_stays(
    status: int, left: dict[str, str]
) -> None:
    st = page(auth_code="code")
    with pytest.raises(httpx2.HTTPStatusError) as caught:
        exchange_auth_code_from_query(st, Api(status, {"detail": "no"}).client())
    assert isinstance(caught.value, ApiError)
    assert (st.session_state, st.query_params) == ({}, left)


@pytest.mark.parametrize("body", [{}, [], {"access_token": ""}, {"access_token": 7}])
def test_an_answer_without_a_token(body: Any) -> None:
    st = page(auth_code="code")
    with pytest.raises(ValueError, match="access_token"):
        exchange_auth_code_from_query(st, Api(200, body).client())
    assert st.session_state == {}


def test_what_cannot_be_forgotten_stays() -> None:
    st = page()
    st.query_params = SimpleNamespace(get=lambda _: "code")
    assert exchange_auth_code_from_query(st, Api().client()) == "t0k3n"


def sent(client: ApiClient, api: Api) -> str | None:
    client.get("/me")
    return api.seen[-1].headers.get("authorization")


def test_a_client_sends_the_token() -> None:
    api, st = Api(), page(auth_code="code")
    options: dict[str, Any] = {"transport": api, "environ": {}}
    assert sent(prepare_streamlit_api_client(st, **options), api) == "Bearer t0k3n"
    again = prepare_streamlit_api_client(st, **options)
    assert sent(again, api) == "Bearer t0k3n"
    assert [request.method for request in api.seen] == ["POST", "GET", "GET"]
    assert sent(prepare_streamlit_api_client(page(), **options), api) is None


def test_who_has_signed_in_stays_who_they_are() -> None:
    """A link with somebody's code does not change the user of a session."""
    api, st = Api(), page(auth_code="evil")
    st.session_state[KEY] = "mine"
    client = prepare_streamlit_api_client(st, transport=api, environ={})
    assert sent(client, api) == "Bearer mine"
    assert [request.method for request in api.seen] == ["GET"]
    assert st.query_params == {}


def test_a_failed_exchange_is_told() -> None:
    with pytest.raises(ApiError):
        prepare_streamlit_api_client(
            page(auth_code="code"), transport=Api(500), environ={}, timeout=1.0
        )


def test_headers_of_the_session() -> None:
    st = page()
    assert bearer_headers_from_session(st) == {}
    st.session_state["token"] = "t"
    assert bearer_headers_from_session(st, session_key="token") == {"Authorization": "Bearer t"}

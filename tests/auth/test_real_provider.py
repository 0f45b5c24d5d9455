"""The login at a certified OpenID provider, both as real processes, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from tests.auth.idp import query_of
from tests.auth.tokens import SECRET
from tests.support.openid import OpenIDProvider, openid_provider, sign_in

from fluxlit.auth import (
    GenericOIDCClient,
    GenericOIDCClientConfig,
    JWTAuthConfig,
    JWTBearer,
    OIDCBFFConfig,
    StandardClaims,
    register_oidc_bff_routes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

BASE = "https://desk.example"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIDProvider]:
    directory = tmp_path_factory.mktemp("provider")
    with openid_provider(directory, [f"{BASE}/auth/callback"]) as provider:
        yield provider


def client_of(provider: OpenIDProvider, secret: str | None = None) -> GenericOIDCClient:
    known = secret or provider.client_secret
    return GenericOIDCClient(GenericOIDCClientConfig(provider.issuer, provider.client_id, known))


def browser_at(oidc: GenericOIDCClient) -> TestClient:
    api = FastAPI()
    register_oidc_bff_routes(
        api,
        OIDCBFFConfig(oidc, SECRET, public_base_url=BASE, keep_claims=("email", "name")),
    )
    bearer = JWTBearer(JWTAuthConfig("fluxlit-bff", "fluxlit-app", ["HS256"], hs256_secret=SECRET))

    @api.get("/me")
    def me(claims: StandardClaims = Depends(bearer)) -> dict[str, object]:  # noqa: B008 - FastAPI
        return claims.model_dump(include={"sub", "email", "name"})

    return TestClient(api, base_url=BASE, follow_redirects=False)


def go_and_return(browser: TestClient, name: str) -> str:
    """Sign in; returns the callback's path and query."""
    address = browser.get("/auth/login").headers["location"]
    with httpx2.Client() as elsewhere:
        return sign_in(elsewhere, address, name).removeprefix(BASE)


def test_a_user_signs_in_and_the_code_works_once(provider: OpenIDProvider) -> None:
    browser = browser_at(client_of(provider))
    back = go_and_return(browser, "ada")
    assert {"code", "state", "iss"} == query_of(back).keys()
    answer = browser.get(back)
    assert answer.status_code == 302, answer.text
    code = query_of(answer.headers["location"])["auth_code"]
    token = browser.post("/auth/exchange", json={"code": code}).json()["access_token"]
    me = browser.get("/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me == {"sub": "ada", "email": "ada@desk.example", "name": "Dr. ada"}
    assert browser.post("/auth/exchange", json={"code": code}).status_code == 401
    assert browser.get(back).status_code == 400


def test_a_code_of_another_login_is_refused(provider: OpenIDProvider) -> None:
    """Who slips somebody else's code into a login lacks the proof key that it was made for."""
    attacker, victim = browser_at(client_of(provider)), browser_at(client_of(provider))
    stolen = query_of(go_and_return(attacker, "eve"))["code"]
    own = query_of(go_and_return(victim, "ada"))
    answer = victim.get("/auth/callback", params={**own, "code": stolen})
    assert (answer.status_code, answer.json()["detail"]) == (
        502,
        "The identity provider gave no tokens",
    )


def test_a_wrong_secret_is_the_apps_fault(provider: OpenIDProvider) -> None:
    browser = browser_at(client_of(provider, "not the secret"))
    answer = browser.get(go_and_return(browser, "ada"))
    assert answer.status_code == 502


def test_who_gives_up_reads_why(provider: OpenIDProvider) -> None:
    browser = browser_at(client_of(provider))
    answer = browser.get(go_and_return(browser, ""))
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The identity provider says: access_denied"

from __future__ import annotations

import base64
import hashlib
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from joserfc.jwk import OctKey
from pydantic import SecretStr
from tests.auth.idp import CLIENT_ID, CLIENT_SECRET, IdP, query_of, running_idp
from tests.auth.tokens import OTHER_RSA, SECRET, signed
from tests.gateway.harness import Fixed

from fluxlit import FluxLit, FluxlitSettings
from fluxlit._types import Receive, Scope, Send
from fluxlit.auth import (
    OIDCBFFConfig,
    StandardClaims,
    pkce_pair,
    register_oidc_bff_routes,
)
from fluxlit.auth.login_config import LoginOptions
from fluxlit.auth.sealing import browser_of
from fluxlit.auth.tokens import Verifier
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from httpx2 import Response

BASE = "https://desk.example"
OTHER = "f" * 43


@pytest.fixture
def idp() -> Iterator[IdP]:
    with running_idp() as idp:
        yield idp


class Desk:
    """A FastAPI app with a login, and one browser."""

    def __init__(self, idp: IdP, provider: Any = None, **more: Unpack[LoginOptions]) -> None:
        self.idp = idp
        self.api = FastAPI()
        options: LoginOptions = {"public_base_url": BASE, **more}
        self.config = OIDCBFFConfig(provider or idp.client(), SECRET, **options)
        self.routes = register_oidc_bff_routes(self.api, self.config)
        self.browser = self.new_browser()

    def new_browser(self) -> TestClient:
        return TestClient(
            self.api, base_url=BASE, follow_redirects=False, raise_server_exceptions=False
        )

    def go_to_provider(self) -> dict[str, str]:
        """Begin a login; returns what the provider is told."""
        answer = self.browser.get("/auth/login")
        assert answer.status_code == 302, answer.text
        told = query_of(answer.headers["location"])
        self.idp.nonce = told.get("nonce", "")
        return told

    def come_back(self, told: dict[str, str], **more: str) -> Response:
        query = {"code": "theirs", "state": told["state"], **more}
        return self.browser.get("/auth/callback", params=query)

    def code(self) -> str:
        """Sign in; returns the code for the page."""
        answer = self.come_back(self.go_to_provider())
        assert answer.status_code == 302, answer.text
        return query_of(answer.headers["location"])["auth_code"]

    def exchange(self, code: str, **more: Any) -> Response:
        return self.new_browser().post("/auth/exchange", json={"code": code, **more})

    def cookie(self) -> str:
        [value] = self.browser.cookies.values()
        return value


@pytest.fixture
def desk(idp: IdP) -> Desk:
    return Desk(idp)


def said(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


def test_the_user_is_sent_to_the_provider(desk: Desk) -> None:
    answer = desk.browser.get("/auth/login")
    address, _, _ = answer.headers["location"].partition("?")
    told = query_of(answer.headers["location"])
    assert (answer.status_code, address) == (302, f"{desk.idp.issuer}/authorize")
    assert answer.headers["cache-control"] == "no-store"
    assert told.pop("nonce")
    assert told.pop("state")
    assert len(told.pop("code_challenge")) == 43
    assert told == {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": f"{BASE}/auth/callback",
        "scope": "openid profile email",
        "code_challenge_method": "S256",
    }
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-fluxlit-login=")
    for word in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=720"):
        assert word in cookie


def test_a_whole_login(desk: Desk) -> None:
    told = desk.go_to_provider()
    answer = desk.come_back(told)
    page, _, _ = answer.headers["location"].partition("?")
    assert (answer.status_code, page) == (302, f"{BASE}/")
    assert answer.headers["cache-control"] == "no-store"
    seen = desk.idp.seen
    assert (seen["basic_id"], seen["basic_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    assert (seen["grant_type"], seen["code"]) == ("authorization_code", "theirs")
    assert seen["redirect_uri"] == told["redirect_uri"]
    digest = hashlib.sha256(seen["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == told["code_challenge"]
    code = query_of(answer.headers["location"])["auth_code"]
    token = desk.exchange(code, browser=desk.cookie()).json()
    assert token["token_type"] == "bearer"
    assert claims_of(token["access_token"])["sub"] == "ada"
    assert said(desk.exchange(code)) == (401, "Invalid or expired auth code")


def claims_of(token: str) -> dict[str, Any]:
    verifier = Verifier(["HS256"], secret=SECRET)
    token_of_ours = verifier.decode(token, may_wait=False)
    return verifier.claims(token_of_ours, issuer="fluxlit-bff", audience="fluxlit-app")


def test_a_page_that_says_no_browser_gets_its_token(desk: Desk) -> None:
    assert desk.exchange(desk.code()).status_code == 200


@pytest.mark.parametrize("browser", ["", OTHER, "x"])
def test_a_code_is_good_in_its_own_browser_only(desk: Desk, browser: str) -> None:
    code = desk.code()
    assert said(desk.exchange(code, browser=browser)) == (401, "Invalid or expired auth code")
    assert desk.exchange(code, browser=desk.cookie()).status_code == 200


@pytest.mark.parametrize(
    ("code", "status"), [("x" * 8, 401), ("x" * 7, 422), ("x" * 300, 422), ("ü" * 8, 401)]
)
def test_codes_that_were_never_given(desk: Desk, code: str, status: int) -> None:
    assert desk.exchange(code).status_code == status
    assert desk.exchange(code, browser=OTHER).status_code == status


def test_a_code_and_a_state_have_their_time(idp: IdP) -> None:
    desk = Desk(idp, otc_ttl_seconds=0, state_ttl_seconds=600)
    assert desk.exchange(desk.code()).status_code == 401
    late = Desk(idp, state_ttl_seconds=0)
    assert said(late.come_back(late.go_to_provider())) == (400, "Invalid or expired state")


def test_coming_back_with_nothing(desk: Desk) -> None:
    desk.go_to_provider()
    for query in ({}, {"code": "x"}, {"state": "x"}, {"code": "", "state": ""}):
        answer = desk.browser.get("/auth/callback", params=query)
        assert said(answer) == (400, "Missing code or state")


def test_a_state_is_good_once_and_in_its_own_browser(desk: Desk) -> None:
    invalid = (400, "Invalid or expired state")
    told = desk.go_to_provider()
    for state in ("x", "x.y", "ü", told["state"][:-1], f"{told['state']}a", OTHER):
        assert said(desk.come_back({"state": state})) == invalid
    victim = desk.new_browser()
    query = {"code": "theirs", "state": told["state"]}
    assert said(victim.get("/auth/callback", params=query)) == invalid
    victim.get("/auth/login")
    assert said(victim.get("/auth/callback", params=query)) == invalid
    assert desk.come_back(told).status_code == 302
    assert said(desk.come_back(told)) == invalid


def test_a_neighbouring_host_signs_nobody_in(desk: Desk) -> None:
    """It can set cookies for its neighbours, but none whose name begins with __Host-."""
    theirs, told = desk.code(), desk.go_to_provider()
    planted = {"fluxlit-login": desk.cookie()}
    assert desk.exchange(theirs, browser=browser_of(planted)).status_code == 401
    desk.browser = desk.new_browser()
    desk.browser.cookies.update(planted)
    assert said(desk.come_back(told)) == (400, "Invalid or expired state")


def test_two_tabs_may_sign_in_at_once(desk: Desk) -> None:
    first = desk.go_to_provider()
    second = desk.go_to_provider()
    assert desk.come_back(second).status_code == 302
    desk.idp.nonce = first["nonce"]
    assert desk.come_back(first).status_code == 302


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("access_denied", "The identity provider says: access_denied"),
        ("<script>", "The identity provider says: an error"),
    ],
)
def test_what_the_provider_refuses(desk: Desk, error: str, says: str) -> None:
    told = desk.go_to_provider()
    forged = desk.browser.get("/auth/callback", params={"error": error, "state": "x"})
    assert said(forged) == (400, "Invalid or expired state")
    answer = desk.browser.get("/auth/callback", params={"error": error, "state": told["state"]})
    assert said(answer) == (400, says)


def test_another_providers_answer_is_refused(desk: Desk) -> None:
    told = desk.go_to_provider()
    answer = desk.come_back(told, iss="https://evil.example")
    assert said(answer) == (400, "The answer is another identity provider's")
    assert desk.come_back(desk.go_to_provider(), iss=desk.idp.issuer).status_code == 302


def test_people_get_a_page(desk: Desk) -> None:
    told = desk.go_to_provider()
    query = {"error": "<b>", "state": told["state"]}
    answer = desk.browser.get(
        "/auth/callback", params=query, headers={"Accept": "text/html,*/*;q=0.8"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (
        400,
        "text/html; charset=utf-8",
    )
    assert f'href="{BASE}/auth/login"' in answer.text
    assert "<b>" not in answer.text


INVALID = (502, "Invalid id_token")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"nonce": "other"}, INVALID),
        ({"nonce": None}, INVALID),
        ({"nonce": ""}, INVALID),
        ({"aud": "other"}, INVALID),
        ({"aud": None}, INVALID),
        ({"aud": "other", "azp": CLIENT_ID}, INVALID),
        ({"aud": [CLIENT_ID, "other"]}, INVALID),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, INVALID),
        ({"iss": "https://evil.example"}, INVALID),
        ({"exp": 1}, INVALID),
        ({"exp": None}, INVALID),
        ({"iat": None}, INVALID),
        ({"sub": None}, INVALID),
        ({"sub": 7}, INVALID),
        ({"sub": ""}, (502, "id_token missing sub")),
    ],
)
def test_an_id_token_that_says_something_wrong(
    desk: Desk, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    told = desk.go_to_provider()
    desk.idp.id_token = changed
    assert said(desk.come_back(told)) == expected


@pytest.mark.parametrize("changed", [{"aud": [CLIENT_ID]}, {"iss": "/"}, {"azp": CLIENT_ID}])
def test_what_an_id_token_may_say(desk: Desk, changed: dict[str, Any]) -> None:
    told = desk.go_to_provider()
    desk.idp.id_token = {**changed, "iss": desk.idp.issuer + changed.get("iss", "")}
    assert desk.come_back(told).status_code == 302


def test_an_id_token_that_another_key_has_signed(desk: Desk) -> None:
    def unsigned(**claims: Any) -> str:
        return "eyJhbGciOiJub25lIn0." + signed(**claims).split(".")[1] + "."

    secret = OctKey.import_key(CLIENT_SECRET.ljust(32))
    makers: list[Any] = [
        unsigned,
        lambda **claims: signed(secret, "HS256", **claims),
        lambda **claims: signed(OTHER_RSA, "RS256", header={"kid": "one"}, **claims),
        lambda **_: "nonsense",
    ]
    for desk.idp.sign in makers:
        assert said(desk.come_back(desk.go_to_provider())) == INVALID


NO_TOKENS = (502, "The identity provider gave no tokens")
MISSING = (502, "IdP response missing id_token")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((400, {"error": "invalid_grant"}), NO_TOKENS),
        ((200, {"error": "invalid_grant"}), NO_TOKENS),
        ((401, {"error": "invalid_client"}), NO_TOKENS),
        ((500, b"<html>"), NO_TOKENS),
        ((429, b"slow down"), NO_TOKENS),
        ((200, b"nonsense"), NO_TOKENS),
        ((200, []), NO_TOKENS),
        ((302, b""), NO_TOKENS),
        ((200, {"access_token": "theirs"}), MISSING),
        ((200, {"id_token": None}), MISSING),
        ((200, {"id_token": {}}), MISSING),
    ],
)
def test_a_provider_without_tokens(
    desk: Desk, answer: tuple[int, Any], expected: tuple[int, str]
) -> None:
    told = desk.go_to_provider()
    desk.idp.token_answer = answer
    assert said(desk.come_back(told)) == expected


def test_keys_that_cannot_be_fetched(desk: Desk) -> None:
    told = desk.go_to_provider()
    desk.idp.keys = []
    assert said(desk.come_back(told)) == (502, "The id_token cannot be checked now")


def test_a_provider_that_is_down_when_the_login_begins_and_up_later(idp: IdP) -> None:
    idp.metadata = {"token_endpoint": None}
    desk = Desk(idp)
    failed = desk.browser.get("/auth/login")
    assert said(failed) == (502, "The identity provider cannot be reached")
    idp.metadata = {}
    assert desk.code()
    assert idp.asked.count("/.well-known/openid-configuration") == 2


def test_more_of_the_id_token_can_be_kept(idp: IdP) -> None:
    desk = Desk(idp, keep_claims=("email", "roles", "exp", "iss"), access_token_ttl_seconds=30)
    idp.id_token = {"email": "ada@desk.example", "name": "Ada"}
    claims = claims_of(desk.exchange(desk.code()).json()["access_token"])
    assert claims["email"] == "ada@desk.example"
    assert claims["iss"] == "fluxlit-bff"
    assert claims["exp"] - time.time() < 31
    assert not {"name", "roles", "nonce"} & claims.keys()


def full_disk(*_: object, **__: object) -> Any:
    message = "disk full"
    raise OSError(message)


def test_a_store_that_fails(idp: IdP, caplog: pytest.LogCaptureFixture) -> None:
    store: Any = SimpleNamespace(save_pkce_verifier=full_disk, pop_exchange_token=full_disk)
    desk = Desk(idp, bff_token_store=store)
    nobody = (503, "Nobody can sign in now")
    assert said(desk.browser.get("/auth/login")) == nobody
    assert said(desk.exchange("x" * 20)) == nobody
    assert "disk full" in caplog.text


class Custom:
    """A provider of one's own, which knows nothing of nonces."""

    issuer = "https://id.example"

    def __init__(self, id_token: object, failure: Exception | None = None) -> None:
        self._id_token = id_token
        self._failure = failure

    def authorization_url(
        self, *, redirect_uri: str, state: str, code_challenge: str, scope: str = ""
    ) -> str:
        assert redirect_uri
        assert code_challenge
        assert scope
        return f"https://id.example/?state={state}"

    def exchange_code(self, *, code: str, code_verifier: str, redirect_uri: str) -> dict[str, Any]:
        assert (code, len(code_verifier)) == ("theirs", 64)
        assert redirect_uri == f"{BASE}/auth/callback"
        if self._failure:
            raise self._failure
        return {"id_token": self._id_token}


def test_a_provider_of_ones_own(idp: IdP) -> None:
    strict = Desk(idp, Custom(signed(sub="eve")))
    status, detail = said(strict.come_back(strict.go_to_provider()))
    assert status == 500
    assert "verify_id_token" in detail
    allowed: LoginOptions = {"allow_unverified_id_token_for_custom_oidc": True}
    desk = Desk(idp, Custom(signed(sub="eve")), **allowed)
    assert claims_of(desk.exchange(desk.code()).json()["access_token"])["sub"] == "eve"
    for token in ("nonsense", "a.b.c", "e30.W10.AAAA"):
        broken = Desk(idp, Custom(token), **allowed)
        assert said(broken.come_back(broken.go_to_provider())) == INVALID
    failing = Desk(idp, Custom("", OSError("the network")), **allowed)
    assert said(failing.come_back(failing.go_to_provider())) == NO_TOKENS


def test_the_documentation_lists_the_routes(desk: Desk) -> None:
    paths = desk.browser.get("/openapi.json").json()["paths"]
    assert {path: [*methods] for path, methods in paths.items()} == {
        "/auth/login": ["get"],
        "/auth/callback": ["get"],
        "/auth/exchange": ["post"],
    }
    assert {tag for it in paths.values() for way in it.values() for tag in way["tags"]} == {"auth"}


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil", "auth", ""])
def test_no_path_leads_elsewhere(idp: IdP, path: str) -> None:
    with pytest.raises(ValueError, match="not a path of this app"):
        Desk(idp, streamlit_redirect_path=path)


def test_a_proof_key() -> None:
    verifier, challenge = pkce_pair()
    digest = hashlib.sha256(verifier.encode()).digest()
    assert len(verifier) == 64
    assert base64.urlsafe_b64encode(digest).decode() == f"{challenge}="
    assert pkce_pair() != pkce_pair()


def fluxlit_app(idp: IdP, base: str, **settings: Any) -> FluxLit:
    app = FluxLit(
        settings=FluxlitSettings(
            oidc_bff_secret=SecretStr(SECRET), public_base_url=base, **settings
        )
    )
    app.attach_oidc_login(idp.client(), streamlit_redirect_path="/users?tab=1")
    return app


@pytest.mark.parametrize(
    ("settings", "base", "callback", "page"),
    [
        ({}, BASE, "/api/auth/callback", "/users"),
        ({"api_mount_path": "/v1"}, BASE, "/v1/auth/callback", "/users"),
        (
            {"root_path": "/apps/desk"},
            BASE,
            "/apps/desk/api/auth/callback",
            "/apps/desk/users",
        ),
        (
            {"root_path": "/apps/desk"},
            f"{BASE}/apps/desk",
            "/apps/desk/api/auth/callback",
            "/apps/desk/users",
        ),
        ({"ui_path": "/ui"}, BASE, "/auth/callback", "/ui/users"),
    ],
)
@pytest.mark.parametrize("stripped", [False, True])
def test_both_redirects_fit_behind_the_gateway(
    idp: IdP, settings: dict[str, Any], base: str, callback: str, page: str, stripped: bool
) -> None:
    """The provider is sent to the API, the browser to the page."""
    app = fluxlit_app(idp, base, **settings)
    options = GatewayOptions.from_settings(app.settings, docs_paths=frozenset(), internal_socket="")
    gateway = Gateway(app.api, options, Fixed(Upstream("ui")))

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway(scope, receive, send)

    browser = TestClient(served, base_url=BASE, follow_redirects=False)
    mount = settings.get("root_path", "")
    login = callback.replace("callback", "login")
    told = query_of(
        browser.get(login.removeprefix(mount) if stripped else login).headers["location"]
    )
    assert told["redirect_uri"] == BASE + callback
    idp.nonce = told["nonce"]
    back = callback.removeprefix(mount) if stripped else callback
    answer = browser.get(back, params={"code": "x", "state": told["state"]})
    assert answer.headers["location"].startswith(f"{BASE}{page}?tab=1&auth_code=")


def test_without_a_public_address_that_of_the_request_is_used_and_told(idp: IdP) -> None:
    with pytest.warns(UserWarning, match="public_base_url is empty"):
        app = fluxlit_app(idp, "")
    told = query_of(
        TestClient(app.api, follow_redirects=False).get("/auth/login").headers["location"]
    )
    assert told["redirect_uri"] == "http://testserver/api/auth/callback"


def test_a_login_of_another_address_than_the_settings(idp: IdP) -> None:
    app = FluxLit(settings=FluxlitSettings(oidc_bff_secret=SecretStr(SECRET)))
    app.attach_oidc_login(idp.client(), public_base_url="https://other.example")
    browser = TestClient(app.api, follow_redirects=False)
    told = query_of(browser.get("/auth/login").headers["location"])
    assert told["redirect_uri"] == "https://other.example/api/auth/callback"


def test_an_app_has_one_login_with_a_secret(idp: IdP) -> None:
    app = fluxlit_app(idp, BASE)
    with pytest.raises(ValueError, match="already called"):
        app.attach_oidc_login(idp.client())
    with pytest.raises(ValueError, match=r"^OIDC BFF"):
        FluxLit().attach_oidc_login(idp.client())
    with pytest.raises(ValueError, match=r"^OIDC BFF"):
        OIDCBFFConfig(idp.client(), " ")


def test_the_logins_own_tokens_are_good_where_the_settings_name_none(idp: IdP) -> None:
    app = fluxlit_app(idp, BASE)

    @app.api.get("/me")
    def me(claims: StandardClaims = Depends(app.make_jwt_bearer())) -> str | None:  # noqa: B008
        return claims.sub

    desk = Desk(idp)
    token = desk.exchange(desk.code()).json()["access_token"]
    answer = TestClient(app.api).get("/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == "ada"
    with pytest.raises(ValueError, match="FLUXLIT_JWT_ISSUER"):
        FluxLit().make_jwt_bearer()
    with pytest.raises(ValueError, match="FLUXLIT_JWT_AUDIENCE"):
        fluxlit_app(idp, BASE, jwt_issuer="https://id.example").make_jwt_bearer()

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from joserfc.jwk import OctKey
from pydantic import SecretStr
from tests.auth.tokens import AUDIENCE, EC, ISSUER, OTHER_RSA, RSA, SECRET, by_hand, by_rsa, signed
from tests.support.ports import free_port

from fluxlit import FluxlitSettings
from fluxlit.auth import (
    JWTAuthConfig,
    JWTBearer,
    RequireRoles,
    RequireScopes,
    StandardClaims,
    issue_hs256_access_token,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

SHARED = JWTAuthConfig(ISSUER, AUDIENCE, ["HS256"], hs256_secret=SECRET)


def served(dependency: Any) -> TestClient:
    api = FastAPI()

    @api.get("/me")
    def me(claims: StandardClaims = Depends(dependency)) -> dict[str, Any]:  # noqa: B008 - FastAPI
        return claims.model_dump(exclude_none=True)

    return TestClient(api, raise_server_exceptions=False)


def ask(client: TestClient, header: str | None) -> Response:
    return client.get("/me", headers={} if header is None else {"Authorization": header})


def verdict(client: TestClient, token: str) -> tuple[int, str]:
    """Status, and whom the token is about or what is said of it."""
    answer = ask(client, f"Bearer {token}")
    body = answer.json()
    return answer.status_code, body.get("sub", body.get("detail"))


@pytest.fixture(scope="module")
def client() -> TestClient:
    return served(JWTBearer(SHARED))


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Missing bearer token"),
        ("", "Missing bearer token"),
        ("Basic YTpi", "Missing bearer token"),
        ("Bearer", "Missing bearer token"),
        ("Bearer ", "Empty bearer token"),
        ("Bearer    ", "Empty bearer token"),
    ],
)
def test_without_a_token(client: TestClient, header: str | None, detail: str) -> None:
    api = client.app
    sent: list[Any] = []
    # A client of HTTP would trim the header; a server hands it on as it came.
    headers = [] if header is None else [(b"authorization", header.encode())]
    scope = {
        "type": "http", "method": "GET", "path": "/me", "raw_path": b"/me", "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("a", 80),
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(api, scope, receive, send)
    assert sent[0]["status"] == 401
    assert (b"www-authenticate", b"Bearer") in sent[0]["headers"]
    assert detail.encode() in sent[1]["body"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_good_token(client: TestClient, scheme: str) -> None:
    answer = ask(client, f"{scheme} {signed(team='blue', aud=['other', AUDIENCE])}")
    assert answer.status_code == 200
    assert answer.json()["sub"] == "ada"
    assert answer.json()["team"] == "blue"


BAD = {
    "signature": signed(OctKey.import_key("x" * 32)),
    "issuer": signed(iss="https://evil.example"),
    "issuer with slash": signed(iss=f"{ISSUER}/"),
    "no issuer": signed(iss=None),
    "audience": signed(aud="other"),
    "no audience": signed(aud=None),
    "no expiry": signed(exp=None),
    "expiry of words": signed(exp="tomorrow"),
    "expiry NaN": signed(exp=float("nan")),
    "expiry true": signed(exp=True),
    "not yet": signed(nbf=9_999_999_999),
    "from the future": signed(iat=9_999_999_999),
    "subject is a number": signed(sub=7),
    "another algorithm": signed(alg="HS512"),
    "no token": "abc",
    "two parts": "abc.def",
    "not base64": "a.b.c",
    "not JSON": "YWJj.YWJj.YWJj",
    "deep JSON": "W1tb" * 4000 + ".YWJj.YWJj",
    "emoji": "😀.😀.😀".encode().decode("latin-1"),
    "encrypted": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA",
    "none": "eyJhbGciOiJub25lIn0." + signed().split(".")[1] + ".",
    "critical": by_hand({"crit": ["exp"], "exp": 1}),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_a_bad_token(client: TestClient, token: str) -> None:
    answer = client.get("/me", headers=[(b"Authorization", b"Bearer " + token.encode("latin-1"))])
    assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_whose_time_is_over(client: TestClient) -> None:
    answer = ask(client, f"Bearer {signed(exp=1)}")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Token expired")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_clocks_may_differ_a_little() -> None:
    config = JWTAuthConfig(ISSUER, AUDIENCE, ["HS256"], hs256_secret=SECRET, leeway_seconds=60)
    over = signed(exp=int(time.time()) - 30)
    assert verdict(served(JWTBearer(config)), over) == (200, "ada")
    assert verdict(served(JWTBearer(SHARED)), over) == (401, "Token expired")


def test_unknown_header_parameters_are_ignored(client: TestClient) -> None:
    assert verdict(client, by_hand({"tid": "x", "x5c": ["A" * 4000]})) == (200, "ada")


def test_the_documentation_asks_for_a_token(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    scheme = schema["components"]["securitySchemes"]["JWTBearer"]
    assert scheme == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    assert schema["paths"]["/me"]["get"]["security"] == [{"JWTBearer": []}]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("read write", 200),
        (["write", "read"], 200),
        ("read", 403),
        (None, 403),
        (["read"], 403),
        ("readwrite", 403),
        ([], 403),
    ],
)
def test_scopes_are_needed_all_together(scope: Any, status: int) -> None:
    client = served(RequireScopes(JWTBearer(SHARED), "read", "write"))
    answer = ask(client, f"Bearer {signed(scope=scope)}")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["detail"] == "Insufficient scope"
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("roles", "status"),
    [(["chief"], 200), ("chief", 200), ("chief staff", 403), (["x"], 403), (None, 403), (7, 403)],
)
def test_one_role_is_enough(roles: Any, status: int) -> None:
    client = served(RequireRoles(JWTBearer(SHARED), "chief", "staff"))
    assert ask(client, f"Bearer {signed(roles=roles)}").status_code == status
    assert ask(client, None).status_code == 401


def test_other_claims_and_none_at_all() -> None:
    bearer = JWTBearer(SHARED)
    token = f"Bearer {signed(scp=['read'], groups=['chief'])}"
    assert ask(served(RequireScopes(bearer, "read", scope_claim="scp")), token).status_code == 200
    assert ask(served(RequireRoles(bearer, "chief", roles_claim="groups")), token).is_success
    assert ask(served(RequireScopes(bearer)), token).status_code == 200
    answer = ask(served(RequireRoles(bearer)), token)
    assert (answer.status_code, answer.json()["detail"]) == (403, "Insufficient role")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "Either hs256_secret"),
        ({"hs256_secret": ""}, "Either hs256_secret"),
        ({"hs256_secret": SECRET}, "HS256 is not among the algorithms"),
        ({"algorithms": ["HS256"], "jwks_url": "https://id.example/keys"}, "is not given"),
        ({"algorithms": ["none"], "jwks_url": "https://id.example/keys"}, "none"),
        ({"algorithms": ["HS512"], "jwks_url": "https://id.example/keys"}, "HS512"),
        ({"algorithms": [], "jwks_url": "https://id.example/keys"}, "no algorithm"),
        ({"algorithms": ["HS256"], "hs256_secret": RSA.as_pem(private=False).decode()}, "oct key"),
    ],
)
def test_what_cannot_be_checked_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        JWTBearer(JWTAuthConfig(ISSUER, AUDIENCE, **more))


def test_a_short_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    JWTBearer(JWTAuthConfig(ISSUER, AUDIENCE, ["HS256"], hs256_secret="rather a short one"))
    assert "shorter than 32 bytes" in caplog.text
    assert SECRET not in repr(SHARED)


KEYS: dict[str, Any] = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({**KEYS, "jwt_hs256_secret": "a", "jwt_jwks_url": "https://a.example"}, "only one"),
        ({"jwt_issuer": ISSUER, "jwt_hs256_secret": "a"}, "FLUXLIT_JWT_ISSUER"),
        ({"jwt_audience": "a", "jwt_hs256_secret": "a"}, "FLUXLIT_JWT_AUDIENCE"),
        (KEYS, "FLUXLIT_JWT_HS256_SECRET or FLUXLIT_JWT_JWKS_URL"),
    ],
)
def test_settings_that_are_not_enough(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        JWTBearer.from_fluxlit_settings(FluxlitSettings(**settings))


def test_a_bearer_of_settings() -> None:
    settings = FluxlitSettings(**KEYS, jwt_hs256_secret=SecretStr(SECRET))
    assert verdict(served(JWTBearer.from_fluxlit_settings(settings)), signed()) == (200, "ada")


def test_issued_tokens_are_good(client: TestClient) -> None:
    issued = {"issuer": ISSUER, "audience": AUDIENCE, "secret": SECRET, "ttl_seconds": 60}
    token = issue_hs256_access_token(subject="eve", **issued)  # type: ignore[arg-type]
    assert verdict(client, token) == (200, "eve")
    more = {"sub": "ada", "scope": ["a"]}
    token = issue_hs256_access_token(subject="eve", extra_claims=more, **issued)  # type: ignore[arg-type]
    assert ask(client, f"Bearer {token}").json()["scope"] == ["a"]
    assert verdict(client, token) == (200, "ada")
    with pytest.raises(ValueError, match=r".+"):
        issue_hs256_access_token(subject="eve", **{**issued, "secret": ""})  # type: ignore[arg-type]


@contextlib.contextmanager
def key_server(port: int) -> Iterator[list[str]]:
    """Serve the issuer's keys; keeps what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            keys = [key.as_dict(private=False) for key in (RSA, EC)]
            body = json.dumps(
                {"keys": [*keys, {"kty": "oct", "kid": "one", "k": "dGhlIHNlY3JldCBvZiBvbmU"}]}
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_keys_are_fetched_once_and_cannot_be_taken_for_secrets() -> None:
    port = free_port()
    config = JWTAuthConfig(
        ISSUER, AUDIENCE, ["RS256", "ES256"], jwks_url=f"http://127.0.0.1:{port}/keys"
    )
    with key_server(port) as asked:
        client = served(JWTBearer(config))
        assert [verdict(client, by_rsa()) for _ in range(3)] == [(200, "ada")] * 3
        assert verdict(client, signed(EC, "ES256", header={"kid": "curve"})) == (200, "ada")
        public = OctKey.import_key({"kty": "oct", "k": RSA.as_dict(private=False)["n"]})
        for forged in (
            signed(public, "HS256", header={"kid": "one"}),
            signed(OctKey.import_key("the secret of one"), "HS256", header={"kid": "one"}),
            signed(EC, "ES256", header={"kid": "one"}),
            by_rsa(OTHER_RSA),
            signed(OTHER_RSA, "RS256", header={"kid": "one"}),
            signed(RSA, "RS512", header={"kid": "one"}),
            signed(OTHER_RSA, "RS256", header={"jwk": OTHER_RSA.as_dict(private=False)}),
        ):
            assert verdict(client, forged) == (401, "Invalid token")
        assert asked == ["/keys"]


def test_keys_that_cannot_be_fetched_are_nobodys_fault() -> None:
    config = JWTAuthConfig(ISSUER, AUDIENCE, jwks_url=f"http://127.0.0.1:{free_port()}/keys")
    answer = ask(served(JWTBearer(config)), f"Bearer {by_rsa()}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")

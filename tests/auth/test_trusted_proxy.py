from __future__ import annotations

from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from tests.gateway.harness import Fixed

from fluxlit._types import Receive, Scope, Send
from fluxlit.auth import TrustedProxyUser, TrustedProxyUserConfig, proxy_user_header
from fluxlit.gateway.gateway import Gateway
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream


def api(dependency: Any) -> FastAPI:
    made = FastAPI()

    @made.get("/me")
    def me(user: str | None = Depends(dependency)) -> str | None:
        return user

    return made


def ask(
    config: TrustedProxyUserConfig | None, client: tuple[str, int] | None, *headers: tuple[str, str]
) -> tuple[int, Any]:
    made = TestClient(api(TrustedProxyUser(config)), client=client or ("", 0))
    answer = made.get("/me", headers=list(headers))
    body = answer.json()
    return answer.status_code, body if isinstance(body, str) else body["detail"]


LOCAL = ("127.0.0.1", 5000)
ADA = ("X-Remote-User", " ada ")
UNTRUSTED = (403, "Untrusted client for forward-auth")
NOBODY = (401, "Missing trusted user header")


def trusting(*hosts: str, **more: Any) -> TrustedProxyUserConfig:
    return TrustedProxyUserConfig(trusted_client_hosts=frozenset(hosts), **more)


@pytest.mark.parametrize(
    ("config", "client", "headers", "expected"),
    [
        (None, LOCAL, [ADA], (200, "ada")),
        (None, ("::1", 1), [ADA], (200, "ada")),
        (None, ("", 0), [ADA], (200, "ada")),
        (None, ("10.0.0.1", 1), [ADA], UNTRUSTED),
        (trusting(), LOCAL, [ADA], UNTRUSTED),
        (trusting("10.0.0.0/8"), ("10.9.8.7", 1), [ADA], (200, "ada")),
        (trusting("10.0.0.0/8"), ("::ffff:10.9.8.7", 1), [ADA], (200, "ada")),
        (trusting("10.0.0.0/8"), ("11.0.0.1", 1), [ADA], UNTRUSTED),
        (trusting("10.0.0.0/8"), ("", 0), [ADA], UNTRUSTED),
        (trusting("testclient"), ("testclient", 1), [ADA], (200, "ada")),
        (None, LOCAL, [], NOBODY),
        (None, LOCAL, [("X-Remote-User", "  ")], NOBODY),
        (None, LOCAL, [("X-Remote-User", "eve"), ADA], NOBODY),
        (
            TrustedProxyUserConfig(require_non_empty_user=False),
            LOCAL,
            [("X-Remote-User", " ")],
            (200, ""),
        ),
        (TrustedProxyUserConfig(require_non_empty_user=False), LOCAL, [], NOBODY),
        (TrustedProxyUserConfig(header_name="X-User"), LOCAL, [("x-user", "ada")], (200, "ada")),
        (
            TrustedProxyUserConfig(require_https=True),
            LOCAL,
            [ADA],
            (403, "HTTPS required for forward-auth"),
        ),
        (
            TrustedProxyUserConfig(require_https=True),
            LOCAL,
            [ADA, ("X-Forwarded-Proto", "https, http")],
            (200, "ada"),
        ),
        (
            TrustedProxyUserConfig(require_https=True),
            LOCAL,
            [ADA, ("X-Forwarded-Proto", "http, https")],
            (403, "HTTPS required for forward-auth"),
        ),
    ],
)
def test_whose_word_counts(
    config: TrustedProxyUserConfig | None,
    client: tuple[str, int],
    headers: list[tuple[str, str]],
    expected: tuple[int, str],
) -> None:
    assert ask(config, client, *headers) == expected


def test_a_broken_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="10"):
        TrustedProxyUser(trusting("10.0.0.0/99"))


def test_a_header_as_it_came() -> None:
    client = TestClient(api(proxy_user_header("X-User")))
    assert client.get("/me").json() is None
    assert client.get("/me", headers={"X-User": "ada"}).json() == "ada"


@pytest.mark.parametrize(
    ("proxies", "peer", "expected"),
    [
        (("10.0.0.1",), "10.0.0.1", 200),
        (("10.0.0.1",), "10.0.0.2", 403),
        ((), "10.0.0.1", 200),
        ((), "9.9.9.9", 403),
        # A proxy that is trusted to forward, but not to name users.
        (("10.0.0.2",), "10.0.0.2", 403),
    ],
)
def test_the_gateway_tells_who_the_proxy_was(
    proxies: tuple[str, ...], peer: str, expected: int
) -> None:
    """Behind a trusted proxy the client of a request is the visitor; the proxy is its peer."""
    options = GatewayOptions(trusted_proxies=proxies)
    gateway = Gateway(api(TrustedProxyUser(trusting("10.0.0.1"))), options, Fixed(Upstream("ui")))

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway(scope, receive, send)

    client = TestClient(served, client=(peer, 5000))
    for said in ("1.2.3.4", "10.0.0.1"):
        headers = {"X-Remote-User": "ada", "X-Forwarded-For": said}
        assert client.get("/api/me", headers=headers).status_code == expected

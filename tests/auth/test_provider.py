from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.auth.idp import CLIENT_ID, CLIENT_SECRET, IdP, query_of, running_idp
from tests.support.ports import free_port

from fluxlit.auth import GenericOIDCClient, GenericOIDCClientConfig
from fluxlit.exceptions import IdentityProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def idp() -> Iterator[IdP]:
    with running_idp() as idp:
        yield idp


def test_before_the_addresses_are_known() -> None:
    client = GenericOIDCClient(GenericOIDCClientConfig("https://id.example/", "desk", "s"))
    assert client.issuer == "https://id.example"
    with pytest.raises(RuntimeError, match="load_discovery_sync"):
        client.authorization_url(redirect_uri="a", state="b", code_challenge="c")
    with pytest.raises(RuntimeError, match="load_discovery_sync"):
        client.exchange_code(code="a", code_verifier="b", redirect_uri="c")


def test_the_address_to_sign_in(idp: IdP) -> None:
    idp.metadata = {"authorization_endpoint": f"{idp.issuer}/authorize?tenant=1"}
    client = idp.client()
    client.load_discovery_sync()
    address = client.authorization_url(
        redirect_uri="https://a/b?c=d", state="&", code_challenge="x"
    )
    told = query_of(address)
    assert told["tenant"] == "1"
    assert told["redirect_uri"] == "https://a/b?c=d"
    assert told["state"] == "&"
    assert "nonce" not in told


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"issuer": "https://evil.example"}, "says that its name is"),
        ({"issuer": 7}, "says that its name is"),
        ({"jwks_uri": None}, "does not say its jwks_uri"),
        ({"token_endpoint": "ftp://id.example"}, "no http or https address"),
    ],
)
def test_a_description_that_cannot_be_used(idp: IdP, metadata: dict[str, Any], says: str) -> None:
    idp.metadata = metadata
    with pytest.raises(IdentityProviderError, match=says):
        idp.client().load_discovery_sync()


def test_a_provider_that_is_not_there() -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    client = GenericOIDCClient(GenericOIDCClientConfig(issuer, "desk", "s"))
    with pytest.raises(IdentityProviderError, match=issuer):
        client.load_discovery_sync()
    with pytest.raises(ValueError, match="no http or https address"):
        GenericOIDCClient(GenericOIDCClientConfig("id.example", "desk", "s"))


@pytest.mark.parametrize(
    ("offered", "secret", "expected"),
    [
        (None, CLIENT_SECRET, {"basic_id": CLIENT_ID, "basic_secret": CLIENT_SECRET}),
        (
            ["client_secret_post", "client_secret_basic"],
            CLIENT_SECRET,
            {"basic_id": CLIENT_ID, "basic_secret": CLIENT_SECRET},
        ),
        (
            ["client_secret_post"],
            CLIENT_SECRET,
            {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        ),
        (["client_secret_basic"], "", {"client_id": CLIENT_ID}),
    ],
)
def test_how_the_app_shows_who_it_is(
    idp: IdP, offered: list[str] | None, secret: str, expected: dict[str, str]
) -> None:
    idp.metadata = {"token_endpoint_auth_methods_supported": offered}
    client = GenericOIDCClient(GenericOIDCClientConfig(idp.issuer, CLIENT_ID, secret))
    client.load_discovery_sync()
    tokens = client.exchange_code(code="a", code_verifier="b", redirect_uri="c")
    assert tokens["access_token"] == "theirs"
    names = {"client_id", "client_secret", "basic_id", "basic_secret"}
    assert {name: idp.seen[name] for name in names & idp.seen.keys()} == expected


def test_what_is_no_token_is_a_value_error(idp: IdP) -> None:
    client = idp.client()
    client.load_discovery_sync()
    idp.token_answer = (200, [])
    with pytest.raises(ValueError, match="no tokens"):
        client.exchange_code(code="a", code_verifier="b", redirect_uri="c")


def test_http_to_another_machine_is_told(caplog: pytest.LogCaptureFixture) -> None:
    config = GenericOIDCClientConfig("http://id.example", "desk", "hidden")
    GenericOIDCClient(config)
    assert "id.example is http" in caplog.text
    assert "hidden" not in repr(config)

from __future__ import annotations

import pytest

from fluxlit.gateway.headers import (
    Hop,
    Visitor,
    from_upstream,
    from_upstream_handshake,
    to_upstream,
    to_upstream_handshake,
    visitor_of,
)

Headers = list[tuple[bytes, bytes]]
STRANGER = Visitor(b"front.test:8000", "1.2.3.4", "https", trusted=False)
PROXY = Visitor(b"front.test", "1.2.3.4", "http", trusted=True)
REBUILT = [
    (b"x-forwarded-host", b"front.test:8000"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-port", b"8000"),
    (b"x-forwarded-for", b"1.2.3.4"),
    (b"x-forwarded-prefix", b"/m"),
]
COOKIE = (b"cookie", "name=größe😀".encode())


def kept(headers: Headers, visitor: Visitor = STRANGER) -> Headers:
    composed = to_upstream(headers, visitor, Hop(b""))
    return [item for item in composed if item[0] != b"host" and item not in forwarding(visitor)]


def forwarding(visitor: Visitor) -> Headers:
    return to_upstream([], visitor, Hop(b""))[1:]


def test_host_comes_first_and_the_forwarding_headers_are_rebuilt() -> None:
    assert to_upstream([], STRANGER, Hop(b"/m")) == [(b"host", b"front.test:8000"), *REBUILT]


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-prefix",
        b"x-real-ip",
        b"x-script-name",
        b"x-remote-user",
        b"x-forwarded-email",
        b"x-forwarded-client-cert",
        b"x-amzn-oidc-identity",
        b"x-pomerium-jwt-assertion",
        b"x-fluxlit-identity",
        b"expect",
        b"host",
        b"x-request-id",
    ],
)
def test_what_a_stranger_cannot_send(name: bytes) -> None:
    assert kept([(name, b"forged")]) == []


def test_a_trusted_proxy_states_identities_but_nothing_of_ours() -> None:
    sent = [(b"x-remote-user", b"ada"), (b"x-fluxlit-identity", b"ada")]
    assert kept(sent, PROXY) == [(b"x-remote-user", b"ada")]


def test_names_listed_in_connection_are_dropped() -> None:
    sent = [
        (b"x-secret", b"1"),
        (b"connection", b"close, X-Secret"),
        (b"connection", b"x-other,Content-Length"),
        (b"x-other", b"1"),
        (b"content-length", b"5"),
        (b"accept", b"*/*"),
    ]
    assert kept(sent) == [(b"content-length", b"5"), (b"accept", b"*/*")]


def test_values_stay_bytes_and_repetition_stays() -> None:
    sent = [COOKIE, (b"x-latin", b"\xe9"), (b"a", b"1"), (b"a", b"2")]
    assert kept(sent) == sent


def test_a_handshake_has_no_second_copy_of_its_own_headers() -> None:
    sent = [
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-key", b"k"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-protocol", b"streamlit"),
        (b"sec-websocket-extensions", b"permessage-deflate"),
        (b"x-forwarded-prefix", b"/forged"),
        (b"origin", b"http://front.test"),
        COOKIE,
    ]
    composed = to_upstream_handshake(sent, STRANGER, Hop(b"/m"))
    expected = [(b"origin", b"http://front.test"), COOKIE]
    assert composed == [(b"host", b"front.test:8000"), *expected, *REBUILT]


def test_a_response_loses_its_hop_and_the_servers_own() -> None:
    sent = [
        (b"date", b"x"),
        (b"server", b"x"),
        (b"keep-alive", b"x"),
        (b"te", b"x"),
        (b"upgrade", b"x"),
        (b"trailer", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"X-Hop"),
        (b"x-hop", b"1"),
        (b"x-request-id", b"theirs"),
        (b"set-cookie", b"a=1"),
        (b"content-length", b"3"),
        (b"set-cookie", b"b=2"),
    ]
    expected = [(b"set-cookie", b"a=1"), (b"content-length", b"3"), (b"set-cookie", b"b=2")]
    assert from_upstream(sent, 200) == expected
    assert from_upstream(sent, 304) == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]


def test_a_handshake_response_keeps_its_cookies() -> None:
    sent = [
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-accept", b"x"),
        (b"sec-websocket-protocol", b"streamlit"),
        (b"set-cookie", b"a=1"),
    ]
    assert from_upstream_handshake(sent) == [(b"set-cookie", b"a=1")]


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ([(b"host", b"front.test:1")], b"front.test:1"),
        ([], b"localhost"),
        ([(b"host", b"a:\xb2")], None),
        ([(b"host", b"")], None),
        ([(b"host", b"a"), (b"host", b"b")], None),
    ],
)
def test_the_public_host(headers: Headers, host: bytes | None) -> None:
    scope = {"type": "http", "headers": headers, "client": None, "scheme": "http"}
    visitor = visitor_of(scope, trusted=False)
    assert (visitor and visitor.host) == host


def test_a_visitor_over_tls_on_a_unix_socket() -> None:
    scope = {"type": "websocket", "headers": [(b"host", b"a")], "client": None, "scheme": "wss"}
    visitor = visitor_of(scope, trusted=True)
    assert visitor == Visitor(b"a", "", "https", trusted=True)
    assert visitor is not None
    assert (b"x-forwarded-port", b"443") in to_upstream([], visitor, Hop(b""))
    assert not [
        name for name, _ in to_upstream([], visitor, Hop(b"")) if name == b"x-forwarded-for"
    ]


def test_a_header_that_the_owner_names_reaches_pages_whoever_sends_it() -> None:
    sent = [(b"remote-user", b"ada"), (b"x-goog-iap-jwt", b"t"), (b"x-fluxlit-slot", b"1")]
    sent += [(b"x-request-id", b"forged"), (b"expect", b"100-continue")]
    assert to_upstream(sent, STRANGER, Hop(b""))[1 : -len(REBUILT) + 1] == []
    named = Hop(b"", frozenset({b"remote-user", b"x-request-id", b"expect"}))
    composed = to_upstream(sent, STRANGER, named)
    assert (b"remote-user", b"ada") in composed
    assert not {b"x-goog-iap-jwt", b"x-fluxlit-slot", b"x-request-id", b"expect"} & {
        name for name, _ in composed
    }

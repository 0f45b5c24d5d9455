from __future__ import annotations

import pytest

from fluxlit.gateway.forwarded import TrustedProxies

Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("proxies", "host", "expected"),
    [
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("10.0.0.0/8",), "10.9.8.7", True),
        (("10.0.0.1/8",), "10.9.8.7", True),
        (("10.0.0.0/8",), "::ffff:10.9.8.7", True),
        (("::1",), "::1", True),
        (("fd00::/8",), "fd12::1", True),
        (("10.0.0.0/8",), "testclient", False),
        (("*",), "testclient", True),
        (("127.0.0.1",), None, False),
        (("unix",), None, True),
        (("unix",), "127.0.0.1", False),
        (("*",), None, True),
    ],
)
def test_whom_to_trust(proxies: tuple[str, ...], host: str | None, expected: bool) -> None:
    assert TrustedProxies(proxies).trusts(host) is expected


def test_an_entry_that_is_no_address_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example"):
        TrustedProxies(("proxy.example",))


def _scope(kind: str, client: tuple[str, int] | None, headers: Headers) -> dict[str, object]:
    scheme = "http" if kind == "http" else "ws"
    return {"type": kind, "client": client, "scheme": scheme, "headers": headers}


PROXY = ("10.0.0.1", 5000)


@pytest.mark.parametrize(
    ("kind", "headers", "client", "scheme", "host"),
    [
        ("http", [], PROXY, "http", None),
        ("http", [(b"x-forwarded-for", b"1.2.3.4")], ("1.2.3.4", 0), "http", None),
        (
            "http",
            [(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4, 10.0.0.2")],
            ("1.2.3.4", 0),
            "http",
            None,
        ),
        (
            "http",
            [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"1.2.3.4:99")],
            ("1.2.3.4", 99),
            "http",
            None,
        ),
        ("http", [(b"x-forwarded-for", b"10.0.0.3, 10.0.0.2")], ("10.0.0.3", 0), "http", None),
        ("http", [(b"x-forwarded-for", b" , ")], PROXY, "http", None),
        ("http", [(b"x-forwarded-for", b"[2001:db8::1]:5")], ("2001:db8::1", 5), "http", None),
        ("http", [(b"x-forwarded-proto", b"https")], PROXY, "https", None),
        ("http", [(b"x-forwarded-proto", b"https, http")], PROXY, "https", None),
        ("http", [(b"x-forwarded-proto", b"gopher")], PROXY, "http", None),
        ("websocket", [(b"x-forwarded-proto", b"https")], PROXY, "wss", None),
        ("websocket", [(b"x-forwarded-proto", b"ws")], PROXY, "ws", None),
        ("http", [(b"x-forwarded-proto", b"wss")], PROXY, "https", None),
        ("http", [(b"x-forwarded-host", b"public.test")], PROXY, "http", b"public.test"),
        (
            "http",
            [(b"x-forwarded-host", b"public.test"), (b"x-forwarded-port", b"8443")],
            PROXY,
            "http",
            b"public.test:8443",
        ),
        (
            "http",
            [(b"x-forwarded-host", b"public.test:1"), (b"x-forwarded-port", b"8443")],
            PROXY,
            "http",
            b"public.test:1",
        ),
        (
            "http",
            [(b"x-forwarded-host", b"[::1]"), (b"x-forwarded-port", b"443")],
            PROXY,
            "http",
            b"[::1]",
        ),
    ],
)
def test_what_a_trusted_proxy_says(
    kind: str, headers: Headers, client: tuple[str, int], scheme: str, host: bytes | None
) -> None:
    scope = _scope(kind, PROXY, [(b"host", b"inner"), *headers])
    rewritten, trusted = TrustedProxies(("10.0.0.0/8",)).apply(scope)
    assert trusted
    assert (rewritten["client"], rewritten["scheme"]) == (client, scheme)
    assert [value for name, value in rewritten["headers"] if name == b"host"] == [host or b"inner"]


def test_nobody_else_is_believed() -> None:
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-proto", b"https")]
    scope = _scope("http", ("9.9.9.9", 1), headers)
    assert TrustedProxies(("10.0.0.0/8",)).apply(scope) == (scope, False)


def test_the_servers_own_scope_is_not_touched() -> None:
    scope = _scope("http", PROXY, [(b"x-forwarded-for", b"1.2.3.4")])
    TrustedProxies(("*",)).apply(scope)
    assert scope["client"] == PROXY

from __future__ import annotations

import pytest

from fluxlit.gateway.origin import OriginPolicy, is_valid_host, parse_origin

PUBLIC = "https://public.example/apps/my-app"
LISTED = ("https://other.example:8443", "app://desktop", "nonsense")


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "front.test", "front.test"),
        ("http://front.test", "front.test", "front.test"),
        ("http://FRONT.test", "front.TEST", "front.TEST"),
        ("http://front.test", "front.test:80", "front.test:80"),
        ("https://front.test", "front.test:443", "front.test:443"),
        ("https://front.test:443", "front.test", "front.test"),
        ("http://front.test:8000", "front.test:8000", "front.test:8000"),
        ("http://[::1]:8000", "[::1]:8000", "[::1]:8000"),
        ("https://public.example", "10.0.0.1:8000", "public.example"),
        ("https://public.example:443", "10.0.0.1:8000", "public.example"),
        ("https://other.example:8443", "front.test", "other.example:8443"),
        ("app://desktop", "front.test", "desktop"),
        ("http://evil.example", "front.test", None),
        ("http://front.test.evil.example", "front.test", None),
        ("http://front.test:81", "front.test", None),
        ("https://front.test", "front.test:80", None),
        ("http://public.example", "front.test", None),
        ("https://public.example.evil", "front.test", None),
        ("https://other.example", "front.test", None),
        ("null", "front.test", None),
        ("", "front.test", None),
        ("http://", "front.test", None),
        ("http://a:²", "front.test", None),
        ("http://front.test@evil.example", "front.test", None),
        ("http://front.test", "a:²", None),
        ("http://front.test evil", "front.test", None),
    ],
)
def test_who_may_open_a_websocket(origin: str | None, host: str, expected: str | None) -> None:
    assert OriginPolicy(PUBLIC, LISTED).host_for(origin, host) == expected


def test_a_star_welcomes_every_well_formed_origin() -> None:
    policy = OriginPolicy("", ("*",))
    assert policy.host_for("http://any.example:99", "front.test") == "any.example:99"
    assert policy.host_for("null", "front.test") is None


@pytest.mark.parametrize("host", ["", "a:²", "a b", "a:b", "[::1", "a/b", "a:123456", "ä"])
def test_malformed_hosts(host: str) -> None:
    assert not is_valid_host(host)


def test_an_origin_without_a_default_port_has_none() -> None:
    parsed = parse_origin("app://desktop")
    assert parsed is not None
    assert parsed.port is None

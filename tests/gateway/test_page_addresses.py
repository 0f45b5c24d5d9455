from __future__ import annotations

import pytest

from fluxlit.gateway.page_addresses import PageAddresses

PATHS = ["/users/{id}", "/orders/{order}/lines/{line}"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/users/3", b"/users-by-id?id=3"),
        (b"/users/3/", b"/users-by-id?id=3"),
        (b"/users/a%20%26b%2Fc", b"/users-by-id?id=a+%26b%2Fc"),
        (b"/users/%FF", b"/users-by-id?id=%FF"),
        (b"/users/3?tab=x&tab=y", b"/users-by-id?id=3&tab=x&tab=y"),
        (b"/orders/1/lines/2", b"/orders-lines-by-order-line?order=1&line=2"),
        (b"/users", None),
        (b"/users/", None),
        (b"/users/3/more", None),
        (b"/users/_stcore", None),
        (b"/orders/_stcore/lines/health", None),
        (b"/", None),
    ],
)
def test_where_an_address_leads(target: bytes, expected: bytes | None) -> None:
    path, _, query = target.partition(b"?")
    assert PageAddresses(PATHS).address_of(path, query) == expected
    below = PageAddresses(PATHS, b"/ui").address_of(b"/ui" + path, query)
    assert below == (None if expected is None else b"/ui" + expected)


def test_an_address_beside_the_ui_and_an_app_without_such_pages() -> None:
    assert PageAddresses(PATHS, b"/ui").address_of(b"/users/3", b"") is None
    assert PageAddresses([]).address_of(b"/users/3", b"") is None

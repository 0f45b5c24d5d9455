from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import BuildHouse


@pytest.mark.integration
@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/a%2Fb",
        b"/a%3Fb?c=%2F&d",
        b"/x/../api/echo",
        b"/%zz/%",
        b"/a//b/./c;p=1?q=1?2&x=a+b",
        b"/%F0%9F%98%80/%ff",
        b"/%01%00%7f",
    ],
)
def test_a_target_reaches_the_upstream_byte_for_byte(house: BuildHouse, target: bytes) -> None:
    home = house()
    assert home.server.get(target).body == b"ok"
    assert home.upstream.target == target

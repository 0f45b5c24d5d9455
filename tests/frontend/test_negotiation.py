from __future__ import annotations

import pytest

from fluxlit.frontend.negotiation import (
    Conditions,
    Unsatisfiable,
    conditions_of,
    matches,
    part_of,
    preferred_coding,
)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"", None),
        (b"gzip, deflate, br, zstd", "br"),
        (b"gzip, deflate", "gzip"),
        (b"x-gzip", "gzip"),
        (b"BR", "br"),
        (b"br;q=0", None),
        (b"br;q=0, gzip", "gzip"),
        (b"br;q=0.4, gzip;q=0.5", "gzip"),
        (b"br; q=0.5 , gzip ; q=0.5", "br"),
        (b"*", "br"),
        (b"*, br;q=0", "gzip"),
        (b"*;q=0", None),
        (b"identity, gzip;q=0.5", None),
        (b"identity;q=0.5, gzip", "gzip"),
        (b"gzip;q=nonsense", None),
        (b"gzip;q=2", None),
        (b"gzip;level=9", "gzip"),
        (b"zstd, deflate", None),
        (b"\xff, gzip", "gzip"),
        (b"gzip" + b", x" * 100, "gzip"),
    ],
)
def test_the_coding_that_the_client_likes_best(accepted: bytes, coding: str | None) -> None:
    chosen = preferred_coding(accepted)
    assert (chosen.name if chosen else None) == coding


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (b'"x"', True),
        (b'W/"x"', True),
        (b' "y", "x" ', True),
        (b'"y,x"', False),
        (b'"X"', False),
        (b"x", False),
        (b"*", True),
        (b"", False),
    ],
)
def test_what_the_client_has_already(given: bytes, same: bool) -> None:
    assert matches(given, b'"x"') is same


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (b"bytes=0-9", range(10)),
        (b"Bytes=0-9", range(10)),
        (b"bytes=90-", range(90, 100)),
        (b"bytes=90-900", range(90, 100)),
        (b"bytes=-5", range(95, 100)),
        (b"bytes=-500", range(100)),
        (b"bytes=99-99", range(99, 100)),
        (b"bytes=100-", Unsatisfiable()),
        (b"bytes=-0", Unsatisfiable()),
        (b"bytes=9-0", None),
        (b"bytes=-", None),
        (b"bytes=0-1,3-4", None),
        (b"bytes=a-b", None),
        (b"lines=0-9", None),
        (b"bytes=" + b"9" * 5000 + b"-", None),
    ],
)
def test_a_part_of_a_hundred_bytes(value: bytes, part: range | Unsatisfiable | None) -> None:
    assert part_of(value, 100) == part


def test_nothing_is_a_part_of_an_empty_file() -> None:
    assert part_of(b"bytes=0-", 0) == part_of(b"bytes=-5", 0) == Unsatisfiable()


def test_conditions_are_picked_out_and_joined() -> None:
    headers = [
        (b"accept-encoding", b"gzip"),
        (b"host", b"x"),
        (b"if-none-match", b'"a"'),
        (b"accept-encoding", b"br"),
        (b"range", b"bytes=0-1"),
        (b"if-range", b'"b"'),
    ]
    assert conditions_of(headers) == Conditions(b"gzip,br", b'"a"', b"bytes=0-1", b'"b"')
    assert conditions_of([]) == Conditions()

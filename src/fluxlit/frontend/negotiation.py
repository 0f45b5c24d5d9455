"""What a request asks of a representation: coding, freshness, a part of it (RFC 9110). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from fluxlit.frontend.coding import CODINGS, Coding

_ENTITY_TAG: Final = re.compile(rb'(?:W/)?("[^"]*")')
_WEIGHT: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
# Up to 18 digits: longer numbers are no positions in a file.
_ONE_RANGE: Final = re.compile(rb"(?i:bytes)=(\d{0,18})-(\d{0,18})")
_LONGEST_REMEMBERED: Final = 128


class Conditions(NamedTuple):
    """The headers of a request that choose what is sent; empty where there is none."""

    accept_encoding: bytes = b""
    if_none_match: bytes = b""
    range: bytes = b""
    if_range: bytes = b""


_FIELDS: Final = {
    b"accept-encoding": 0,
    b"if-none-match": 1,
    b"range": 2,
    b"if-range": 3,
}


def conditions_of(headers: Iterable[tuple[bytes, bytes]]) -> Conditions:
    """Pick the conditions out of a request's headers; repeated ones are joined as lists."""
    found = [b"", b"", b"", b""]
    for name, value in headers:
        if name in _FIELDS:
            index = _FIELDS[name]
            found[index] = b"%b,%b" % (found[index], value) if found[index] else value
    return Conditions(*found)


def preferred_coding(accept_encoding: bytes) -> Coding | None:
    """Choose the coding that the client likes best; None for the content as it is.

    >>> preferred_coding(b"gzip, deflate, br").name, preferred_coding(b"gzip;q=0.8, br;q=0.1").name
    ('br', 'gzip')
    """
    if len(accept_encoding) > _LONGEST_REMEMBERED:
        return _choose(accept_encoding)
    return _remembered_choice(accept_encoding)


def _choose(accept_encoding: bytes) -> Coding | None:
    weights = dict(map(_weighted, accept_encoding.decode("latin-1").lower().split(",")))
    rest = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding.name, rest))
    weight = weights.get(best.name, rest)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


_remembered_choice = lru_cache(maxsize=64)(_choose)


def _weighted(item: str) -> tuple[str, float]:
    """Read ``gzip;q=0.5``; what cannot be read is not wanted."""
    name, *parameters = (part.strip() for part in item.split(";"))
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            weight = float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
    return name.removeprefix("x-"), weight  # x-gzip is gzip, RFC 9110 section 8.4.1.3


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Tell whether the client has this representation (weak comparison, section 8.8.3.2).

    >>> matches(b'"a", W/"b"', b'"b"'), matches(b"*", b'"b"'), matches(b'"a"', b'"b"')
    (True, True, False)
    """
    return if_none_match.strip() == b"*" or etag in _ENTITY_TAG.findall(if_none_match)


class Unsatisfiable(NamedTuple):
    """The asked part lies outside of the representation."""


def part_of(value: bytes, length: int) -> range | Unsatisfiable | None:
    """Read a ``Range`` of one part; None for what may be ignored (section 14.2).

    >>> part_of(b"bytes=0-9", 100), part_of(b"bytes=-10", 100), part_of(b"bytes=0-1,5-6", 100)
    (range(0, 10), range(90, 100), None)
    """
    found = _ONE_RANGE.fullmatch(value.strip())
    if found is None or found[1] == found[2] == b"":
        return None
    if not found[1]:
        wanted = min(int(found[2]), length)
        return range(length - wanted, length) if wanted else Unsatisfiable()
    first = int(found[1])
    last = min(int(found[2]), length - 1) if found[2] else length - 1
    if found[2] and int(found[2]) < first:
        return None
    return range(first, last + 1) if first < length else Unsatisfiable()

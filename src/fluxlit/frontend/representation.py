"""What is sent of a resource in one coding, prepared once; and the bounded set of those in use."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from fluxlit._types import Message
from fluxlit.frontend.coding import Coding

Headers = list[tuple[bytes, bytes]]

_END_OF_EMPTY: Final[Message] = {"type": "http.response.body", "body": b""}


@dataclass(frozen=True, slots=True)
class Representation:
    """One content in one coding, with the events that send it.

    Attributes:
        body: The bytes.
        etag: Their strong validator (RFC 9110 section 8.8.3), made from them.
        caching: The headers that a 304 repeats.
        start: The event that starts a 200.
        whole: The event that sends the body.
        unchanged: The event that starts a 304.
        expires: When to look for a better one, by the monotonic clock.
    """

    body: bytes
    etag: bytes
    caching: Headers
    start: Message
    whole: Message
    unchanged: Message
    expires: float = math.inf


@dataclass(frozen=True, slots=True)
class Kind:
    """What all representations of one resource share.

    Attributes:
        content_type: The value of ``Content-Type``.
        cache_control: The value of ``Cache-Control``.
        varies: Whether there are several codings.
        more: Further headers.
    """

    content_type: bytes
    cache_control: bytes
    varies: bool
    more: tuple[tuple[bytes, bytes], ...] = ()


def represent(
    body: bytes, kind: Kind, coding: Coding | None = None, *, expires: float = math.inf
) -> Representation:
    """Prepare all that is ever sent of these bytes."""
    etag = b'"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
    caching = [(b"etag", etag), (b"cache-control", kind.cache_control), *kind.more]
    if kind.varies:
        caching.append((b"vary", b"Accept-Encoding"))
    headers = [
        (b"content-type", kind.content_type),
        (b"content-length", b"%d" % len(body)),
        (b"accept-ranges", b"bytes"),
        (b"x-content-type-options", b"nosniff"),
        *caching,
    ]
    if coding is not None:
        headers.append((b"content-encoding", coding.name.encode()))
    return Representation(
        body,
        etag,
        caching,
        _start(200, headers),
        {"type": "http.response.body", "body": body},
        _start(304, caching),
        expires,
    )


def partial(representation: Representation, kind: Kind, part: range) -> tuple[Message, Message]:
    """Prepare a 206 (RFC 9110 section 15.3.7)."""
    position = b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(representation.body))
    headers = [
        (b"content-type", kind.content_type),
        (b"content-length", b"%d" % len(part)),
        (b"content-range", position),
        (b"x-content-type-options", b"nosniff"),
        *representation.caching,
    ]
    body = representation.body[part.start : part.stop]
    return _start(206, headers), {"type": "http.response.body", "body": body}


def unsatisfiable(representation: Representation) -> tuple[Message, Message]:
    """Prepare a 416 (RFC 9110 section 15.5.17)."""
    length = b"bytes */%d" % len(representation.body)
    headers = [(b"content-range", length), (b"content-length", b"0")]
    return _start(416, headers), _END_OF_EMPTY


def bodyless(start: Message) -> tuple[Message, Message]:
    """Pair a start with no body: for a HEAD and a 304."""
    return start, _END_OF_EMPTY


def _start(status: int, headers: Headers) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


Key = tuple[str, str]
"""A resource's name and a coding's; the empty one is the content as it is."""


class HotSet:
    """The representations in memory; what was not used for longest goes first.

    Args:
        most_bytes: Bound of all bodies together. A larger body is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[Key, Representation] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return self._size

    def get(self, key: Key) -> Representation | None:
        """Return a representation and note that it was used."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, representation: Representation) -> None:
        """Keep a representation, in place of an older one under the same key."""
        older = self._kept.pop(key, None)
        self._size -= len(older.body) if older else 0
        if len(representation.body) > self._most:
            return
        self._kept[key] = representation
        self._size += len(representation.body)
        while self._size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.body)

"""Picks the UI worker of each request: what the request brings, and who is there."""

from __future__ import annotations

import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fluxlit._types import Scope
from fluxlit.gateway.affinity import Ask, Choice, Pin, PinCodec, choose
from fluxlit.gateway.headers import Visitor, find
from fluxlit.gateway.upstream import Member, Upstream, Upstreams

ARRIVES_WITHIN: Final = 10.0
"""Seconds from a page's load to the WebSocket that shows as load; until then it is a promise."""

MOST_PROMISES: Final = 10_000
"""Loads that are remembered; in a flood of more the oldest are forgotten."""

_DOCUMENTS: Final = frozenset({b"document", b"iframe", b"frame"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One worker to try, and the ``Set-Cookie`` that goes with its answer, if any."""

    upstream: Upstream
    cookie: bytes | None = None


class Picker:
    """Picks for one gateway worker.

    Args:
        upstreams: Knows the workers.
        codec: Reads and writes the cookie.
        ui_path: The UI under the mount, raw.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        upstreams: Upstreams,
        codec: PinCodec,
        ui_path: bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstreams = upstreams
        self._codec = codec
        self._ui_path = ui_path
        self._clock = clock
        self._promises: deque[tuple[float, int]] = deque()
        self._promised: Counter[int] = Counter()

    def __call__(self, scope: Scope, rest: bytes, visitor: Visitor) -> list[Attempt]:
        """Return the workers to try for a request, the best one first.

        Args:
            scope: The client's scope.
            rest: The raw path without the mount.
            visitor: Who asks.
        """
        members = self._upstreams.members()
        if len({member.slot for member in members}) < 2:
            serving = [member for member in members if member.serves]
            return [Attempt(member.upstream) for member in reversed(serving)]
        ask = self._ask(scope, rest, visitor)
        choices = choose(ask, self._with_promises(members))
        if choices and ask.is_page and ask.pin is None:
            self._promise(choices[0].member.slot)
        return [self._attempt(choice, visitor) for choice in choices]

    def _ask(self, scope: Scope, rest: bytes, visitor: Visitor) -> Ask:
        headers = scope["headers"]
        cookies = (value for name, value in headers if name == b"cookie")
        is_socket = scope["type"] == "websocket"
        page = not is_socket and is_page_load(scope, rest.removeprefix(self._ui_path))
        return Ask(
            pin=self._codec.read(cookies, visitor.host),
            visitor=secrets.token_hex(8),
            traits=visitor.address.encode() + b"\n" + (find(headers, b"user-agent") or b""),
            starts=page or is_socket,
            is_page=page,
        )

    def _with_promises(self, members: Iterable[Member]) -> Sequence[Member]:
        now = self._clock()
        while self._promises and self._promises[0][0] < now:
            self._forget()
        return [replace(it, load=it.load + self._promised[it.slot]) for it in members]

    def _promise(self, slot: int) -> None:
        if len(self._promises) == MOST_PROMISES:
            self._forget()
        self._promises.append((self._clock() + ARRIVES_WITHIN, slot))
        self._promised[slot] += 1

    def _forget(self) -> None:
        self._promised[self._promises.popleft()[1]] -= 1

    def _attempt(self, choice: Choice, visitor: Visitor) -> Attempt:
        upstream, pin = choice.member.upstream, choice.pin
        return Attempt(upstream, pin and self._written(pin, visitor))

    def _written(self, pin: Pin, visitor: Visitor) -> bytes:
        return self._codec.write(pin, visitor.host, visitor.scheme)


def is_page_load(scope: Scope, path: bytes) -> bool:
    """Tell whether a browser opens a page of the UI: itself, or in a frame.

    A page is the UI's root or one segment below; what lies deeper (media, components, uploads)
    belongs to a page that is open already.

    Args:
        scope: An HTTP scope.
        path: The raw path under the UI.
    """
    if scope["method"] not in {"GET", "HEAD"} or b"/" in path.strip(b"/"):
        return False
    # https://www.w3.org/TR/fetch-metadata/ where the browser sends it, and Accept elsewhere.
    destination = find(scope["headers"], b"sec-fetch-dest")
    if destination is not None:
        return destination in _DOCUMENTS
    return b"text/html" in (find(scope["headers"], b"accept") or b"")

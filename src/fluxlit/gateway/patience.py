"""Lets open pages wait for a worker that is being replaced, so that they are back when it is.

A page that has lost its worker asks ``_stcore/health`` and ``_stcore/host-config`` until both
answer, then opens its WebSocket (``DoInitPings.tsx`` and ``WebsocketConnection.tsx`` of Streamlit's
frontend). Each failure doubles its pause, up to 4 s: told "not yet" it would come long after the
worker. A probe of a balancer wants the truth at once; so only what a page's script asks waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from fluxlit._types import Scope
from fluxlit.exceptions import UpstreamStarting
from fluxlit.gateway.headers import find

MOST_WAITING: Final = 2_000
"""Requests that may wait at a time; more are told to come back."""

_PAUSE: Final = 0.05
_UNHURRIED: Final = 20
"""As many look each pause; of more, each looks less often, so that all of them cost no more."""

_PINGS: Final = frozenset({b"/_stcore/health", b"/_stcore/host-config"})


class Patience:
    """What waits at one gateway worker.

    Args:
        within: Seconds that one may wait; a page's script gives up after 15.
    """

    def __init__(self, within: float) -> None:
        self._within = within
        self._waiting = 0

    async def __call__(self, serve: Callable[[], Awaitable[None]]) -> None:
        """Serve as soon as a worker is there.

        Args:
            serve: Serves, or raises ``UpstreamStarting`` before anything was sent.

        Raises:
            UpstreamStarting: None came in time, or too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            await serve()
            return
        until = time.monotonic() + self._within
        self._waiting += 1
        try:
            while True:
                try:
                    await serve()
                except UpstreamStarting:
                    if time.monotonic() >= until:
                        raise
                else:
                    return
                await asyncio.sleep(_PAUSE * max(1.0, self._waiting / _UNHURRIED))
        finally:
            self._waiting -= 1


def is_open_page(scope: Scope, path: bytes) -> bool:
    """Tell whether a page that is open in a browser asks for its worker.

    Args:
        scope: An HTTP scope.
        path: The raw path under the UI.
    """
    if path not in _PINGS or scope["method"] != "GET":
        return False
    # What a script fetches: https://www.w3.org/TR/fetch-metadata/, or where that is not sent
    # (plain http but on this machine), the page that it is of.
    headers = scope["headers"]
    destination = find(headers, b"sec-fetch-dest")
    return find(headers, b"referer") is not None if destination is None else destination == b"empty"

"""Who may go on when there is not room for all: in turn, and nobody takes every place."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import NamedTuple

from fluxlit.exceptions import UpstreamBusy


class _Waiter(NamedTuple):
    client: str
    called: asyncio.Future[None]


class Admission:
    """A limited number of places.

    One client gets at most three quarters of them, rounded up, so that the rest find some from a
    limit of four on.

    Args:
        limit: How many places there are; 0 is unlimited.
        wait_seconds: How long to wait for one.
    """

    def __init__(self, limit: int, wait_seconds: float) -> None:
        self._limit = limit
        self._share = limit - limit // 4
        self._wait_seconds = wait_seconds
        self._inside: Counter[str] = Counter()
        self._waiting: deque[_Waiter] = deque()

    async def enter(self, client: str) -> None:
        """Take a place, in turn; give it back with :meth:`leave`.

        Args:
            client: Whose place it is.

        Raises:
            UpstreamBusy: There was none in time.
        """
        if not self._limit:
            return
        # Whoever waits could not have had this place, or it would be taken.
        if self._admits(client):
            self._inside[client] += 1
            return
        waiter = _Waiter(client, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiter.called
        except BaseException as error:
            self._give_up(waiter)
            if isinstance(error, TimeoutError):
                msg = f"all {self._limit} places were taken for {self._wait_seconds:g} s"
                raise UpstreamBusy(msg) from None
            raise

    def leave(self, client: str) -> None:
        """Give a place back, to the first who waits and may have it."""
        if not self._limit:
            return
        self._inside[client] -= 1
        if not self._inside[client]:
            del self._inside[client]
        for waiter in list(self._waiting):
            # One that is done was cancelled this moment, and will leave the queue by itself.
            if not waiter.called.done() and self._admits(waiter.client):
                self._waiting.remove(waiter)
                self._inside[waiter.client] += 1
                waiter.called.set_result(None)
                return

    def _admits(self, client: str) -> bool:
        return self._inside.total() < self._limit and self._inside[client] < self._share

    def _give_up(self, waiter: _Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        else:  # called and cancelled in the same moment
            self.leave(waiter.client)


class Turn:
    """One request's place, taken and given back at most once at a time.

    Args:
        admission: Where the places are.
        client: Who asks.
    """

    __slots__ = ("_admission", "_client", "_has_place")

    def __init__(self, admission: Admission, client: str) -> None:
        self._admission = admission
        self._client = client
        self._has_place = False

    async def take(self) -> None:
        """Wait for a place.

        Raises:
            UpstreamBusy: There was none in time.
        """
        if not self._has_place:
            await self._admission.enter(self._client)
            self._has_place = True

    def give_back(self) -> None:
        """Let the next one in."""
        if self._has_place:
            self._has_place = False
            self._admission.leave(self._client)

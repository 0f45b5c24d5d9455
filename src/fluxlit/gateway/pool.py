"""The connections that wait to be used again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from fluxlit.exceptions import UpstreamTimeout
from fluxlit.gateway.connection import Connection
from fluxlit.gateway.upstream import Upstream, open_connection


@dataclass(slots=True)
class _Slot:
    idle: list[Connection] = field(default_factory=list)
    permits: asyncio.Semaphore | None = None


class ConnectionPool:
    """Connections to all upstreams.

    Args:
        connect_timeout: Seconds to open one.
        max_connections: Exchanges at one upstream at a time; 0 is unlimited.
    """

    _MAX_IDLE = 64

    def __init__(self, *, connect_timeout: float, max_connections: int) -> None:
        self._connect_timeout = connect_timeout
        self._max_connections = max_connections
        self._slots: dict[Upstream, _Slot] = {}

    async def acquire(self, upstream: Upstream, *, fresh: bool) -> Connection:
        """Get a connection; give it back with :meth:`release` in every case.

        Args:
            upstream: Where to.
            fresh: Insist on a new one, for a request that must not meet a dying connection.

        Raises:
            UpstreamError: There is none to get.
        """
        slot = self._slot(upstream)
        await self._admit(slot, upstream)
        while slot.idle and not fresh:
            connection = slot.idle.pop()
            if not connection.closed:
                connection.reused = True
                return connection
        try:
            _, opened = await open_connection(upstream, Connection, self._connect_timeout)
        except BaseException:
            _dismiss(slot)
            raise
        return opened

    def release(self, upstream: Upstream, connection: Connection) -> None:
        """Take a connection back: keep it if it can be used again, else drop it."""
        slot = self._slot(upstream)
        _dismiss(slot)
        if not connection.finish():
            connection.abort()
            return
        slot.idle = [other for other in slot.idle if not other.closed][: self._MAX_IDLE - 1]
        slot.idle.append(connection)

    def close(self) -> None:
        """Drop every idle connection."""
        for slot in self._slots.values():
            for connection in slot.idle:
                connection.abort()
            slot.idle.clear()

    def _slot(self, upstream: Upstream) -> _Slot:
        slot = self._slots.get(upstream)
        if slot is None:
            limit = self._max_connections
            slot = _Slot(permits=asyncio.Semaphore(limit) if limit else None)
            self._slots[upstream] = slot
        return slot

    async def _admit(self, slot: _Slot, upstream: Upstream) -> None:
        if slot.permits is None:
            return
        try:
            async with asyncio.timeout(self._connect_timeout):
                await slot.permits.acquire()
        except TimeoutError:
            msg = f"{upstream.name}: all {self._max_connections} connections are busy"
            raise UpstreamTimeout(msg) from None


def _dismiss(slot: _Slot) -> None:
    if slot.permits is not None:
        slot.permits.release()

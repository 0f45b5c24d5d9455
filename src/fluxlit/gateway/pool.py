"""The connections that wait to be used again."""

from __future__ import annotations

from dataclasses import dataclass, field

from fluxlit.gateway.admission import Admission
from fluxlit.gateway.connection import Connection
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream, open_connection


@dataclass(slots=True)
class _Slot:
    admission: Admission
    idle: list[Connection] = field(default_factory=list)
    in_use: int = 0

    def is_over(self) -> bool:
        """Tell whether nothing is left of it, as of a worker that is gone."""
        return not self.in_use and all(connection.closed for connection in self.idle)


class ConnectionPool:
    """Connections to all upstreams.

    Args:
        options: Its limits and the time to open one.
    """

    def __init__(self, options: GatewayOptions) -> None:
        self._connect_timeout = options.connect_timeout
        self._max_connections = options.max_connections
        self._max_idle = options.max_idle_connections
        self._slots: dict[Upstream, _Slot] = {}

    async def acquire(self, upstream: Upstream, client: str, *, fresh: bool) -> Connection:
        """Get a connection; give it back with :meth:`release` in every case.

        Args:
            upstream: Where to.
            client: For whom; one client does not get all of them.
            fresh: Insist on a new one, for a request that must not meet a dying connection.

        Raises:
            UpstreamError: There is none to get.
        """
        slot = self._slot(upstream)
        slot.in_use += 1
        try:
            return await self._connection(slot, upstream, client, fresh=fresh)
        except BaseException:
            slot.in_use -= 1
            raise

    async def _connection(
        self, slot: _Slot, upstream: Upstream, client: str, *, fresh: bool
    ) -> Connection:
        await slot.admission.enter(client)
        while slot.idle and not fresh:
            connection = slot.idle.pop()
            if not connection.closed:
                connection.reused = True
                return connection
        try:
            _, opened = await open_connection(upstream, Connection, self._connect_timeout)
        except BaseException:
            slot.admission.leave(client)
            raise
        return opened

    def release(self, upstream: Upstream, client: str, connection: Connection) -> None:
        """Take a connection back: keep it if it can be used again, else drop it."""
        slot = self._slot(upstream)
        slot.idle = [other for other in slot.idle if not other.closed]
        if connection.finish() and len(slot.idle) < self._max_idle:
            slot.idle.append(connection)
        else:
            connection.abort()
        slot.admission.leave(client)
        slot.in_use -= 1

    def close(self) -> None:
        """Drop every idle connection."""
        for slot in self._slots.values():
            for connection in slot.idle:
                connection.abort()
            slot.idle.clear()

    def _slot(self, upstream: Upstream) -> _Slot:
        slot = self._slots.get(upstream)
        if slot is None:
            # Every worker that is born is an upstream of its own.
            self._slots = {key: it for key, it in self._slots.items() if not it.is_over()}
            # As long as for a connection: that is what there may be too few of.
            slot = _Slot(Admission(self._max_connections, self._connect_timeout))
            self._slots[upstream] = slot
        return slot

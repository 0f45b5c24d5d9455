"""The ports of UI workers that serve a gateway elsewhere: one each, whoever has the slot."""

from __future__ import annotations

import socket

from fluxlit.runtime.banner import Address
from fluxlit.workers.sockets import bind_tcp


class Ports:
    """Listening sockets by slot. They outlive the workers that they are lent to."""

    def __init__(self) -> None:
        self._lent: dict[int, socket.socket] = {}

    def of(self, slot: int, address: Address) -> socket.socket:
        """Return the socket of a slot; it listens from when it was first asked for.

        Args:
            slot: Which of the workers.
            address: The host, and the port of the first; port 0 lets the system choose.

        Raises:
            StartupError: The address cannot be had.
        """
        found = self._lent.get(slot)
        if found is None:
            port = address.port + slot if address.port else 0
            found = self._lent[slot] = bind_tcp(address.host, port)
        return found

    def addresses(self) -> list[tuple[str, int]]:
        """Return host and port of each, by slot."""
        names = [self._lent[slot].getsockname() for slot in sorted(self._lent)]
        return [(name[0], name[1]) for name in names]

    def close(self) -> None:
        """Listen no more."""
        for sock in self._lent.values():
            sock.close()

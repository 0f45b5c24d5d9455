"""Where UI workers for a gateway elsewhere are reached: a port each, whoever has the slot."""

from __future__ import annotations

import socket

from fluxlit.runtime.banner import Address, Crew, ui_banner
from fluxlit.runtime.entrances import Entrances
from fluxlit.workers.process import WorkerProcess
from fluxlit.workers.sockets import bind_tcp


class Ports(Entrances):
    """The listening sockets of such a service, by slot."""

    def __init__(self) -> None:
        super().__init__()
        self._lent: dict[int, socket.socket] = {}

    async def hand_over(self, worker: WorkerProcess) -> Address:
        """Lend a UI worker its port."""
        wanted = Address.from_message(await worker.expect("loaded"))
        if self.address is None:
            self.decide(wanted)
        worker.tell({"event": "serve"}, [self._port(worker.spec.slot)])
        return wanted

    def announcement(self, seconds: float, crew: Crew) -> str:  # noqa: ARG002 - each slot is listed
        """Return the banner of a UI that serves alone."""
        names = [self._lent[slot].getsockname() for slot in sorted(self._lent)]
        listening = [(name[0], name[1]) for name in names]
        return ui_banner(self._loaded.result(), seconds, listening)

    def close(self) -> None:
        """Accept nobody."""
        for sock in self._lent.values():
            sock.close()

    def _port(self, slot: int) -> socket.socket:
        found = self._lent.get(slot)
        if found is None:
            first = self._loaded.result()
            port = first.port + slot if first.port else 0
            found = self._lent[slot] = bind_tcp(first.host, port)
        return found

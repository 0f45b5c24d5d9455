"""Where a service is reached: at a public address, and by its pages in the run directory."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fluxlit.runtime.banner import Address, Crew, banner
from fluxlit.runtime.entrances import Entrances
from fluxlit.workers.process import WorkerProcess
from fluxlit.workers.sockets import bind_private, bind_tcp

_LOG: Final = logging.getLogger("fluxlit.runtime")


class Doors(Entrances):
    """The listening sockets of a whole service: public ones, and a private one for its pages.

    None of its gateway workers ever refuses a connection by being replaced.

    Args:
        directory: The run directory, in which pages find the private door to the API.
        given: Public sockets that a service manager has opened; none: the app says where.
    """

    def __init__(self, directory: Path, given: Sequence[socket.socket]) -> None:
        super().__init__()
        self._directory = directory
        self._private: socket.socket | None = None
        self._public = list(given)

    async def hand_over(self, worker: WorkerProcess) -> Address:
        """Open the sockets if they are not, and hand a gateway worker all of them."""
        wanted = Address.from_message(await worker.expect("loaded"))
        if self.address is None:
            self._open(wanted)
        else:
            _tell_what_takes_a_restart(self.address, wanted)
        private = [self._private] if self._private is not None else []
        worker.tell({"event": "serve"}, [*self._public, *private])
        return wanted

    def announcement(self, seconds: float, crew: Crew) -> str:
        """Return the banner of a service."""
        return banner(self._loaded.result(), seconds, crew)

    def close(self) -> None:
        """Accept nobody from outside; pages still are."""
        for sock in self._public:
            sock.close()

    def close_all(self) -> None:
        """Accept no page of this service either."""
        self.close()
        if self._private is not None:
            self._private.close()

    def _open(self, wanted: Address) -> None:
        if self._public:
            address = wanted.given_by(self._public[0])
        else:
            self._public = [bind_tcp(wanted.host, wanted.port)]
            address = wanted.bound_to(self._public[0])
        self._private = bind_private(self._directory, wanted.door_key)
        self.decide(address)


def _tell_what_takes_a_restart(now: Address, wanted: Address) -> None:
    changed = wanted.fixed_since(now)
    if changed:
        _LOG.warning("changed, but only a restart applies it: %s", ", ".join(changed))

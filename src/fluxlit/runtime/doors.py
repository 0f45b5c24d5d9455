"""Where a service is reached: sockets that outlive its workers, and what the app says of them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fluxlit.logging import configure_logging
from fluxlit.runtime.banner import Address, Crew, banner
from fluxlit.workers.process import WorkerProcess
from fluxlit.workers.sockets import bind_private, bind_tcp

_LOG: Final = logging.getLogger("fluxlit.runtime")


class Doors:
    """The listening sockets of a service.

    Only a worker that has loaded the app knows its settings, and only the owner of the service may
    own the sockets. The first gateway worker decides where they listen; they outlive all workers,
    so that none of them ever refuses a connection by being replaced.

    Args:
        directory: The run directory, in which pages find the private door to the API.
        given: Public sockets that a service manager has opened; none: the app says where.
    """

    def __init__(self, directory: Path, given: Sequence[socket.socket]) -> None:
        self._directory = directory
        self._private: socket.socket | None = None
        self._public = list(given)
        self._loaded: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    @property
    def address(self) -> Address | None:
        """Where the service is, once its first gateway worker has said so."""
        return self._loaded.result() if self._loaded.done() else None

    async def ui_workers(self) -> int:
        """Wait until the app has said how many UI workers it wants."""
        return (await self.told()).ui_workers

    async def told(self) -> Address:
        """Wait until a gateway worker has said where the service is."""
        return await asyncio.shield(self._loaded)

    async def hand_over(self, worker: WorkerProcess) -> Address:
        """Hear where the app wants to listen, listen there, and hand the sockets over.

        Returns:
            What the worker has said.

        Raises:
            StartupError: The app does not load, or the address cannot be had.
        """
        wanted = Address.from_message(await worker.expect("loaded"))
        if self.address is None:
            self._open(wanted)
        else:
            _tell_what_takes_a_restart(self.address, wanted)
        private = [self._private] if self._private is not None else []
        worker.tell({"event": "serve"}, [*self._public, *private])
        return wanted

    def announcement(self, seconds: float, crew: Crew) -> str:
        """Return what a person reads when the service is ready.

        Args:
            seconds: How long the start took.
            crew: Who serves.
        """
        return banner(self._loaded.result(), seconds, crew)

    def close(self) -> None:
        """Accept nobody from here on; whoever comes hears so at once. Pages still are."""
        for sock in self._public:
            sock.close()

    def close_all(self) -> None:
        """Accept no page either."""
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
        configure_logging(wanted.log_level)
        self._loaded.set_result(address)


def _tell_what_takes_a_restart(now: Address, wanted: Address) -> None:
    changed = wanted.fixed_since(now)
    if changed:
        _LOG.warning("changed, but only a restart applies it: %s", ", ".join(changed))

"""Where a service listens: what is the same for a whole service and for a UI that serves alone."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from fluxlit.logging import configure_logging
from fluxlit.runtime.banner import Address, Crew
from fluxlit.workers.process import WorkerProcess


class Entrances(ABC):
    """The listening sockets of a service, which outlive all of its workers.

    Only a worker that has loaded the app knows its settings, and only the owner of the service may
    own the sockets. So the first worker says where they are to listen, and all are handed them.
    """

    def __init__(self) -> None:
        self._loaded: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    @property
    def address(self) -> Address | None:
        """Where the service is, once its first worker has said so."""
        return self._loaded.result() if self._loaded.done() else None

    async def told(self) -> Address:
        """Wait until a worker has said where the service is."""
        return await asyncio.shield(self._loaded)

    async def ui_workers(self) -> int:
        """Wait until the app has said how many UI workers it wants."""
        return (await self.told()).ui_workers

    def decide(self, address: Address) -> None:
        """Keep what the first worker has said, for the service's whole life."""
        configure_logging(address.log_level)
        self._loaded.set_result(address)

    @abstractmethod
    async def hand_over(self, worker: WorkerProcess) -> Address:
        """Hear where the app wants to listen, listen there, and hand the sockets over.

        Returns:
            What the worker has said.

        Raises:
            StartupError: The app does not load, or the address cannot be had.
        """

    @abstractmethod
    def announcement(self, seconds: float, crew: Crew) -> str:
        """Return what a person reads when the service is ready.

        Args:
            seconds: How long the start took.
            crew: Who serves.
        """

    @abstractmethod
    def close(self) -> None:
        """Accept nobody from outside from here on; whoever comes hears so at once."""

    def close_all(self) -> None:
        """Accept no page of this service either."""
        self.close()

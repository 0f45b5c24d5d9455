"""Where UI workers for a gateway elsewhere are reached: a port each, whoever has the slot."""

from __future__ import annotations

import asyncio
import socket

from fluxlit.logging import configure_logging
from fluxlit.runtime.banner import Address, Crew, ui_banner
from fluxlit.workers.process import WorkerProcess
from fluxlit.workers.sockets import bind_tcp


class Ports:
    """The listening sockets of such a service; they outlive the workers that they are lent to.

    In place of :class:`~fluxlit.runtime.doors.Doors`, and used like them.
    """

    def __init__(self) -> None:
        self._lent: dict[int, socket.socket] = {}
        self._loaded: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    async def ui_workers(self) -> int:
        """Wait until the app has said how many UI workers it wants."""
        return (await self.told()).ui_workers

    async def told(self) -> Address:
        """Wait until a worker has said what is served."""
        return await asyncio.shield(self._loaded)

    async def hand_over(self, worker: WorkerProcess) -> Address:
        """Hear where the app's UI is to listen, and lend a worker its port.

        Returns:
            What the worker has said.

        Raises:
            StartupError: The app does not load, or the port cannot be had.
        """
        wanted = Address.from_message(await worker.expect("loaded"))
        if not self._loaded.done():
            configure_logging(wanted.log_level)
            self._loaded.set_result(wanted)
        worker.tell({"event": "serve"}, [self._port(worker.spec.slot)])
        return wanted

    def announcement(self, seconds: float, crew: Crew) -> str:  # noqa: ARG002 - as of doors
        """Return what a person reads when the UI is ready."""
        names = [self._lent[slot].getsockname() for slot in sorted(self._lent)]
        listening = [(name[0], name[1]) for name in names]
        return ui_banner(self._loaded.result(), seconds, listening)

    def close(self) -> None:
        """Accept nobody from here on."""
        for sock in self._lent.values():
            sock.close()

    def close_all(self) -> None:
        """Do the same; there are no others."""
        self.close()

    def _port(self, slot: int) -> socket.socket:
        found = self._lent.get(slot)
        if found is None:
            first = self._loaded.result()
            port = first.port + slot if first.port else 0
            found = self._lent[slot] = bind_tcp(first.host, port)
        return found

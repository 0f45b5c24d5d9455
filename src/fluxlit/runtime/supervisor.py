"""The parent of a service: owns the public socket, the signals, the pid file and the workers.

It imports neither Streamlit nor the user's code, so nothing that these do can hang or break it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from fluxlit._tasks import Coro, all_of
from fluxlit.exceptions import StartupError
from fluxlit.runtime.banner import Address, progress, workbench_hints
from fluxlit.runtime.doors import Doors
from fluxlit.runtime.entrances import Entrances
from fluxlit.runtime.options import RunOptions
from fluxlit.runtime.pidfile import PidFile
from fluxlit.runtime.ports import Ports
from fluxlit.runtime.reloading import Development
from fluxlit.runtime.rollout import Rollouts
from fluxlit.runtime.signals import SignalInbox
from fluxlit.runtime.systemd import Notifier, activated_sockets
from fluxlit.runtime.watching import Need
from fluxlit.runtime.workforce import Workforce
from fluxlit.workers.backoff import Backoff
from fluxlit.workers.child import Child
from fluxlit.workers.events import Reason
from fluxlit.workers.rundir import RunDirectory, base_directory
from fluxlit.workers.spec import WorkerSpec

_LOG: Final = logging.getLogger("fluxlit.runtime")

PROGRESS_SECONDS: Final = 2.0
"""Seconds of a start after which a person wants to hear how far it is, and again when it is
further."""


class Supervisor:
    """Runs one service from start to end, in a run directory of its own.

    Args:
        options: What to run.
        announce: Told in words that the service is ready, and how far a slow start has come.
        backoff: The policy for workers that keep dying.
        ahead: The process of a UI worker that was spawned already.
    """

    def __init__(
        self,
        options: RunOptions,
        announce: Callable[[str], None],
        *,
        backoff: Backoff | None = None,
        ahead: Child | None = None,
    ) -> None:
        self._options = options
        self._announce = announce
        self._backoff = backoff
        self._ahead = ahead
        self._signals = SignalInbox()
        self._notifier = Notifier()
        self._development = Development(options.target, options.reload, announce)

    async def run(self) -> None:
        """Run until a signal asks to end.

        Raises:
            StartupError: The service did not start, or its workers keep dying.
        """
        with ExitStack() as stack:
            stack.enter_context(self._signals.open())
            given = self._meet_manager(stack)
            if self._options.pidfile is not None:
                stack.enter_context(PidFile(self._options.pidfile))
            directory = stack.enter_context(RunDirectory(base_directory(os.environ)))
            entrances: Entrances = Ports() if self._options.alone else Doors(directory.path, given)
            stack.callback(entrances.close_all)
            workforce = self._workforce(directory.path, entrances)
            try:
                await self._until_signal(
                    self._serve(entrances, workforce, Rollouts(directory.path))
                )
            finally:
                self._notifier.stopping()
                entrances.close()
                await self._drain(workforce)

    def _meet_manager(self, stack: ExitStack) -> list[socket.socket]:
        """Take what a service manager has told and opened, and show it signs of life."""
        self._notifier = Notifier.from_environment(os.environ)
        beating = asyncio.ensure_future(self._notifier.keep_alive())
        stack.callback(beating.cancel)
        return activated_sockets(os.environ)

    def _workforce(self, directory: Path, entrances: Entrances) -> Workforce:
        options = self._options
        spec = WorkerSpec(
            target=options.target,
            run_directory=str(directory),
            development=options.development,
            workers=options.workers,
            alone=options.alone,
            overrides=options.overrides,
            reload=options.reload is not None,
            reload_dirs=[str(it) for it in (options.reload.directories if options.reload else ())],
            cookie_secret=secrets.token_hex(32),
        )
        return Workforce(
            directory,
            spec,
            options.crew,
            entrances.hand_over,
            backoff=self._backoff,
            ahead=self._ahead,
        )

    async def _serve(self, entrances: Entrances, workforce: Workforce, rollouts: Rollouts) -> None:
        """Start, announce, and keep the workers alive until cancelled.

        Raises:
            StartupError: They did not start or keep dying, and nobody is about to correct it.
        """
        while True:
            try:
                address = await self._start(entrances, workforce)
                await self._keep(address, workforce, rollouts)
            except StartupError as exc:
                if not self._development.can_correct(exc):
                    raise
                await workforce.kill()
                await self._development.until_corrected(exc)

    async def _start(self, entrances: Entrances, workforce: Workforce) -> Address:
        started = time.monotonic()
        telling = asyncio.ensure_future(self._tell_progress(workforce, started))
        try:
            await workforce.start(entrances.ui_workers())
        finally:
            telling.cancel()
        address = await entrances.told()
        self._announce(entrances.announcement(time.monotonic() - started, workforce.wanted))
        self._notifier.ready(f"serving at {address.origin}")
        if self._options.workbench:
            self._announce(workbench_hints(address, os.environ))
        return address

    async def _tell_progress(self, workforce: Workforce, started: float) -> None:
        told = None
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            now = (workforce.ready, workforce.wanted)
            if told != now:
                told = now
                self._announce(progress(*now, time.monotonic() - started))

    async def _keep(self, address: Address, workforce: Workforce, rollouts: Rollouts) -> None:
        async def replace(need: Need) -> None:
            await workforce.renew(Reason.EDITED, uis=need is Need.FULL)

        alone = workforce.wanted.gateways == 1
        reserve = self._options.reload is not None or (address.spare and alone)
        await all_of(
            workforce.keep(address, reserve=reserve),
            self._reload_when_asked(workforce, rollouts),
            self._development.follow(replace),
        )

    async def _reload_when_asked(self, workforce: Workforce, rollouts: Rollouts) -> None:
        while True:
            await self._signals.reload.wait()
            self._signals.reload.clear()
            await self._reload(workforce, rollouts)

    async def _reload(self, workforce: Workforce, rollouts: Rollouts) -> None:
        """Load the code anew, in new workers; if it does not start, the old ones serve on."""
        _LOG.info("loading the code anew")
        self._notifier.reloading()
        rollouts.begin()
        await workforce.spare.close()  # it may have imported what a deploy has replaced
        try:
            await workforce.renew(Reason.RELOAD)
        except StartupError as exc:
            _LOG.error("the new version did not start, the old one serves on: %s", exc)
            rollouts.failed(exc)
            self._notifier.ready(f"the old version serves, the new one did not start: {exc}")
        else:
            took = rollouts.done(", ".join(workforce.names))
            _LOG.info("the new version serves, after %.1f s", took)
            self._notifier.ready(f"serving the code loaded at {time.strftime('%X')}")

    async def _until_signal(self, work: Coro) -> None:
        """Do something until a signal comes."""
        doing = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self._signals.ends.get())
        await asyncio.wait({doing, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            await doing
            return
        _LOG.info("%s: stopping", asked.result().name)
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)

    async def _drain(self, workforce: Workforce) -> None:
        """End the workers in order, or at once if somebody asks again."""
        orderly = asyncio.ensure_future(workforce.stop())
        again = asyncio.ensure_future(self._signals.ends.get())
        await asyncio.wait({orderly, again}, return_when=asyncio.FIRST_COMPLETED)
        again.cancel()
        if orderly.done():
            await orderly
            return
        _LOG.warning("asked again: ending now")
        orderly.cancel()
        await asyncio.wait({orderly})
        await workforce.kill()

"""``fluxlit dev --embedded``: the whole service in the command's own process, for a debugger.

Nothing stands between the terminal and your code, so ``breakpoint()`` stops in a route and in a
page, and what is typed reaches it. There is no supervisor: what ends this process ends the service.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from fluxlit._signals import asking_signals
from fluxlit.config.deployment import observe
from fluxlit.config.rules import refuse_doubtful
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.gateway import Service, address_of
from fluxlit.runtime._entry.lifeline import leave_threads
from fluxlit.runtime.banner import Crew, banner, workbench_hints
from fluxlit.runtime.loading import load_app
from fluxlit.runtime.pidfile import PidFile
from fluxlit.runtime.supervisor import RunOptions
from fluxlit.workers.board import State
from fluxlit.workers.collector import freeze
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import found_board
from fluxlit.workers.rundir import RunDirectory, base_directory
from fluxlit.workers.server import serve
from fluxlit.workers.sockets import bind_private, bind_tcp
from fluxlit.workers.spec import WorkerSpec

GRACE: Final = 1
"""Seconds for requests in flight at the end: one that stands at a breakpoint ends no sooner."""


def run_in_one_process(options: RunOptions, announce: Callable[[str], None]) -> None:
    """Serve until a signal asks to end.

    Args:
        options: What to run.
        announce: Told in words that the service is ready.

    Raises:
        FluxLitError: It cannot start.
    """
    started = time.monotonic()
    app = load_app(options.target, {**options.overrides, "ui_mode": "embedded"})
    if app.settings.uvicorn_graceful_shutdown_timeout_s is None:
        app.override_settings({"uvicorn_graceful_shutdown_timeout_s": GRACE})
    refuse_doubtful(observe(app.settings, development=True))
    configure_logging(app.settings.effective_log_level())
    with ExitStack() as stack:
        if options.pidfile is not None:
            stack.enter_context(PidFile(options.pidfile))
        directory = stack.enter_context(RunDirectory(base_directory(os.environ)))
        board = found_board(directory.path)
        place = board.claim(WorkerKind.GATEWAY, 0)
        spec = WorkerSpec(
            target=options.target,
            run_directory=str(directory.path),
            development=True,
            cookie_secret=secrets.token_hex(32),
        ).for_place(0, generation=place.generation, row=place.index)
        address = address_of(app, spec)
        public = stack.enter_context(bind_tcp(address.host, address.port))
        private = stack.enter_context(bind_private(directory.path, address.door_key))
        address = address.bound_to(public)

        def ready() -> None:
            place.enter(State.READY)
            configure_logging(app.settings.effective_log_level())
            freeze()
            announce(banner(address, time.monotonic() - started, Crew(1, 0)))
            if options.workbench:
                announce(workbench_hints(address, os.environ))

        sockets = [public, private]
        _serve(Service(app, spec, sockets, ready), sockets)
    leave_threads()


def _serve(service: Service, sockets: Sequence[socket.socket]) -> None:
    # A start that fails is told once, by the command.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        serve(service.server, sockets, *service.jobs, until=asking_signals())
    except SystemExit as exc:  # Uvicorn's way to say that the lifespan failed
        raise service.reason() from exc

"""``fluxlit dev --embedded``: the whole service in the command's own process, for a debugger.

Nothing stands between the terminal and your code, so ``breakpoint()`` stops in a route and in a
page, and what is typed reaches it. There is no supervisor: what ends this process ends the service.
"""

from __future__ import annotations

import inspect
import logging
import os
import pdb  # noqa: T100 - what the command is for
import secrets
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from fluxlit._signals import asking_signals
from fluxlit.config.deployment import observe
from fluxlit.config.rules import refuse_doubtful
from fluxlit.logging import configure_logging
from fluxlit.runtime._entry.gateway import Service, address_of
from fluxlit.runtime._entry.lifeline import leave_threads
from fluxlit.runtime.banner import Crew, banner, workbench_hints
from fluxlit.runtime.following import followed
from fluxlit.runtime.loading import load_app
from fluxlit.runtime.options import RunOptions
from fluxlit.runtime.pidfile import PidFile
from fluxlit.workers.board import State
from fluxlit.workers.collector import freeze
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.enlist import found_board
from fluxlit.workers.rundir import RunDirectory, base_directory
from fluxlit.workers.server import Job, serve
from fluxlit.workers.sockets import bind_private, bind_tcp
from fluxlit.workers.spec import WorkerSpec


def run_in_one_process(options: RunOptions, announce: Callable[[str], None]) -> None:
    """Serve until a signal asks to end.

    Args:
        options: What to run.
        announce: Told in words that the service is ready.

    Raises:
        FluxLitError: It cannot start.
    """
    born, started = time.time(), time.monotonic()
    sys.breakpointhook = _stop_here
    app = load_app(options.target, {**options.overrides, "ui_mode": "embedded"})
    refuse_doubtful(observe(app.settings, development=True))
    with ExitStack() as stack:
        if options.pidfile is not None:
            stack.enter_context(PidFile(options.pidfile))
        directory = stack.enter_context(RunDirectory(base_directory(os.environ))).path
        board = found_board(directory)
        place = board.claim(WorkerKind.GATEWAY, 0)
        spec = _spec(options, directory).for_place(0, generation=place.generation, row=place.index)
        address = address_of(app, spec)
        public = stack.enter_context(bind_tcp(address.host, address.port))
        private = stack.enter_context(bind_private(directory, address.door_key))
        address = address.bound_to(public)

        def ready() -> None:
            place.enter(State.READY)
            board.enter(State.READY)
            configure_logging(app.settings.effective_log_level())
            freeze()
            announce(banner(address, time.monotonic() - started, Crew(1, 0)))
            if options.workbench:
                announce(workbench_hints(address, os.environ))

        plan, following = followed(app.ui_plan(spec), since=born)
        sockets = [public, private]
        _serve(Service(app, plan, sockets, ready), sockets, following)
    leave_threads()


def _spec(options: RunOptions, directory: Path) -> WorkerSpec:
    return WorkerSpec(
        target=options.target,
        run_directory=str(directory),
        development=True,
        reload=options.reload is not None,
        reload_dirs=[str(it) for it in (options.reload.directories if options.reload else ())],
        cookie_secret=secrets.token_hex(32),
    )


def _serve(service: Service, sockets: Sequence[socket.socket], following: Sequence[Job]) -> None:
    # A start that fails is told once, by the command.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    try:
        serve(service.server, sockets, *service.jobs, *following, until=asking_signals())
    except SystemExit as exc:  # Uvicorn's way to say that the lifespan failed
        raise service.reason() from exc


def _stop_here(*args: object, **keywords: object) -> object:
    """Stop where ``breakpoint()`` stands, in the debugger that the user has chosen or in pdb.

    By itself pdb would take Ctrl-C from the loop when it goes on (``Pdb.do_continue``), so that the
    service could not be ended by it any more.
    """
    caller = inspect.currentframe()
    if os.environ.get("PYTHONBREAKPOINT") or args or keywords or caller is None:
        return sys.__breakpointhook__(*args, **keywords)  # noqa: T100 - see above
    pdb.Pdb(nosigint=True).set_trace(caller.f_back)
    return None

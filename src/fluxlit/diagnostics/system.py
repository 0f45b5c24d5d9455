"""Does this machine give what a service needs: an address, a private folder, sockets?"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fluxlit.config.findings import Finding, Level, passed
from fluxlit.diagnostics.subject import Patient, Subject
from fluxlit.exceptions import StartupError
from fluxlit.workers.rundir import base_directory
from fluxlit.workers.sockets import bind_tcp, bind_unix

FEWEST_FILES: Final = 1024
"""Open files; a WebSocket is one in the gateway or in a UI worker, a request one or two."""


def gateway_bind(patient: Patient) -> Iterator[Finding]:
    """Try to listen where the gateway would."""
    host, port = patient.app.settings.gateway_host, patient.app.settings.gateway_port
    try:
        with bind_tcp(host, port):
            yield passed("gateway_bind", f"{host}:{port} is free")
    except StartupError as exc:
        yield Finding(
            "gateway_bind",
            Level.ERROR,
            exc.message,
            f"{exc.remedy}; if it is this very service, examine it with --live URL",
        )


def run_directory(subject: Subject) -> Iterator[Finding]:
    """Look at the folder where the service's private sockets would be."""
    try:
        folder = base_directory(subject.environ)
    except StartupError as exc:
        yield Finding("run_directory", Level.ERROR, exc.message, exc.remedy)
        return
    yield passed("run_directory", f"{folder} is private to this user")
    yield from _unix_sockets(folder)


def _unix_sockets(folder: Path) -> Iterator[Finding]:
    """Try to listen on a socket there, and to send one through it, as a hand-over does."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="doctor-") as place:
        try:
            with bind_unix(str(Path(place, "try"))):
                pass
        except StartupError as exc:
            remedy = "set FLUXLIT_RUN_DIR to a folder on a local file system"
            message = f"no sockets can be made there: {exc.message}"
            yield Finding("unix_sockets", Level.ERROR, message, remedy)
            return
    if _sockets_can_be_sent():
        yield passed("unix_sockets", "pages' WebSockets can be handed to the UI worker")
    else:
        message = "sockets cannot be sent to another process here; WebSockets are relayed"
        yield passed("unix_sockets", message)


def _sockets_can_be_sent() -> bool:
    if not (hasattr(socket, "SOCK_SEQPACKET") and hasattr(socket, "send_fds")):
        return False
    with contextlib.suppress(OSError):
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            socket.send_fds(left, [b"x"], [left.fileno()])
            _, descriptors, _, _ = socket.recv_fds(right, 1, 1)
            for descriptor in descriptors:
                os.close(descriptor)
            return bool(descriptors)
    return False


def open_files(_: Subject) -> Iterator[Finding]:
    """Look at how many files and sockets one process may have open."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # workers raise their own to the hard
    if 0 <= hard < FEWEST_FILES:
        message = f"a process may have {hard} files open, too few for many visitors"
        remedy = f"ulimit -Hn {FEWEST_FILES}, or LimitNOFILE= of systemd"
        yield Finding("open_files", Level.WARNING, message, remedy)
    else:
        yield passed("open_files", f"a process may have {hard} open")

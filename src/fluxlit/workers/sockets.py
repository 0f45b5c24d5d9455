"""Listening sockets: bound by whoever owns the address, with errors a person can act on."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from fluxlit._door import HOST, Door
from fluxlit.exceptions import StartupError
from fluxlit.workers.rundir import api_door, api_socket, writing_in

BACKLOG: Final = 2048


def bind_tcp(host: str, port: int) -> socket.socket:
    """Bind and listen on a public address.

    Args:
        host: A name or address; ``"0.0.0.0"`` and ``"::"`` are all interfaces.
        port: 0 lets the system choose.

    Raises:
        StartupError: The address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as exc:
        msg = f"the host {host!r} has no address: {exc.strerror}"
        raise StartupError(
            msg, remedy="pass --host with a name or address of this machine"
        ) from exc
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as exc:
        sock.close()
        raise _explain(exc, host, port) from exc
    sock.setblocking(False)
    return sock


def bind_unix(path: str) -> socket.socket:
    """Bind and listen on a Unix socket that only this user may use.

    Raises:
        StartupError: There is no room for it, or for another descriptor.
    """
    with writing_in(Path(path).parent), ExitStack() as opened:
        sock = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        sock.bind(path)
        os.chmod(path, 0o600)  # noqa: PTH101 - a path as text, as the socket takes it
        sock.listen(BACKLOG)
        opened.pop_all()
    sock.setblocking(False)
    return sock


def bind_private(directory: str | Path, key: str) -> socket.socket:
    """Listen where pages find the API: at a Unix socket, or at a port that a key opens.

    Args:
        directory: The run directory; of a port it is told there, too.
        key: What opens the port; empty for a Unix socket.
    """
    if not key:
        return bind_unix(api_socket(directory))
    sock = bind_tcp(HOST, 0)
    Door(sock.getsockname()[1], key).write(api_door(directory))
    return sock


def _explain(exc: OSError, host: str, port: int) -> StartupError:
    match exc.errno:
        case errno.EADDRINUSE:
            msg = f"port {port} on {host} is already in use"
            remedy = "stop the program that uses it, or choose another with --port"
        case errno.EACCES:
            msg = f"this user may not listen on port {port}"
            remedy = "choose a port above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            msg = f"{host} is not an address of this machine"
            remedy = "pass --host with one that is, or 0.0.0.0 for all"
        case _:
            msg = f"cannot listen on {host}:{port}: {exc.strerror}"
            remedy = "choose another address with --host and --port"
    return StartupError(msg, remedy=remedy)

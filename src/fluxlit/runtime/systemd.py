"""The service manager: tell it how the service is, and take the sockets that it opened.

Both protocols are environment variables and plain sockets, so they need no library. Sources:
sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.service(5).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

from fluxlit.exceptions import StartupError

_LOG: Final = logging.getLogger("fluxlit.runtime")

FIRST_DESCRIPTOR: Final = 3
"""``SD_LISTEN_FDS_START``: the sockets that were passed are numbered from here."""

ACTIVATION_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")

_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)

PATIENCE: Final = 0.5
"""Seconds to wait for room in the manager's queue, which holds as few as ten messages."""

_MAX_STATUS: Final = 400
"""Characters of a status line; it is to be read at a glance."""


class Notifier:
    """Tells the service manager how the service is; without one it tells nobody.

    Nothing here ever fails the service: what cannot be sent is lost.

    Args:
        address: A Unix datagram socket: a path, or ``@`` and an abstract name. Empty: nobody.
        watchdog: Seconds within which the manager wants to hear of a living service; 0: never.
    """

    def __init__(self, address: str = "", *, watchdog: float = 0.0) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Notifier:
        """Take the variables of the protocol out of an environment, so that no child has them.

        A child that could speak for the service would only confuse its manager.
        """
        address = environ.pop("NOTIFY_SOCKET", "")
        interval = environ.pop("WATCHDOG_USEC", "")
        watched = environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        seconds = int(interval) / 1e6 if interval.isdecimal() and watched else 0.0
        return cls(address, watchdog=seconds)

    def ready(self, status: str) -> None:
        """Tell that it serves: after its start, and after a reload, whatever became of that.

        Args:
            status: What a person reads in ``systemctl status``.
        """
        self._send("READY=1", _status(status))

    def reloading(self) -> None:
        """Tell that a reload has begun, and when (``Type=notify-reload`` compares that)."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={microseconds}", _status("reloading"))

    def stopping(self) -> None:
        """Tell that it finishes what is in flight and ends."""
        self._send("STOPPING=1", _status("stopping"))

    def status(self, status: str) -> None:
        """Tell what a person may want to read in ``systemctl status``."""
        self._send(_status(status))

    async def keep_alive(self) -> None:
        """Send signs of life, at half of the interval, until cancelled."""
        while self._watchdog:
            self._send("WATCHDOG=1", patience=0.0)
            await asyncio.sleep(self._watchdog / 2)

    def _send(self, *assignments: str, patience: float = PATIENCE) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(patience)
                sock.sendto("\n".join(assignments).encode(), self._address)
        except (OSError, ValueError) as exc:
            _LOG.debug("the service manager was not told %s: %s", assignments[0], exc)


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())[:_MAX_STATUS]}"


def activated_sockets(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Take the listening sockets that the service manager has opened for this process.

    The variables are taken out of the environment: they are for this process alone.

    Args:
        environ: The process's environment.

    Returns:
        What is to be listened on; empty if nobody has opened anything.

    Raises:
        StartupError: One of them is not a listening stream socket.
    """
    pid, count, names = (environ.pop(name, "") for name in ACTIVATION_VARIABLES)
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    descriptors = range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count))
    labels = itertools.chain(names.split(":"), itertools.repeat(""))
    return [_listening(*passed) for passed in zip(descriptors, labels, strict=False)]


def _listening(descriptor: int, label: str) -> socket.socket:
    sock = _listener(descriptor)
    if sock is None:
        name = f" ({label})" if label else ""
        msg = f"file descriptor {descriptor}{name} is no listening TCP or Unix socket"
        remedy = "give the socket unit ListenStream= and Accept=no, and this service no other"
        raise StartupError(msg, remedy=remedy)
    sock.setblocking(False)
    return sock


def _listener(descriptor: int) -> socket.socket | None:
    try:
        os.set_inheritable(descriptor, False)
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return None
    if sock.family in _FAMILIES and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return sock
    sock.close()
    return None

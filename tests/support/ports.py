"""Ports for the tests' own servers."""

from __future__ import annotations

import random
import socket
from itertools import count, islice
from pathlib import Path

# Outgoing connections take their ports from here upwards (ip(7)), and one that is open, or was
# closed in the last minute, keeps its port from a listener, whatever options this one sets.
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 11_000  # above all ports that browsers refuse to open

_turns = count(random.randrange(1_000_000))  # a suite beside this one takes others


def free_port(*, run: int = 1) -> int:
    """Find a port that nobody uses and that no outgoing connection will take meanwhile.

    The same port does not come again soon.

    Args:
        run: How many ports that follow each other must be free.

    Returns:
        The port, of several the first.
    """
    room = int(OUTGOING.read_text().split()[0]) - FIRST
    while True:
        ports = [FIRST + turn % room for turn in islice(_turns, run)]
        if ports[0] <= ports[-1] and all(map(_is_free, ports)):
            return ports[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A listener's connections that were closed a moment ago do not keep its port from another.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

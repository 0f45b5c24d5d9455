"""Free ports of the loopback address."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Ask the system for a port that nobody uses.

    The system hands such ports out in turn, so the same one does not come again soon, and the
    listener that takes it a moment later finds it free.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

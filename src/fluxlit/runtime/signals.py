"""What a service's signals ask for: an end, again an end, or the code anew."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fluxlit._signals import asking_signals, asks_to_reload, has_terminal

ECHO: Final = 0.3
"""Seconds in which the same signal once more is not asking again."""


class SignalInbox:
    """Takes the signals of a service while it is open.

    Attributes:
        ends: Each time that somebody asked for an end.
        reload: Set when somebody asked for the code to be loaded anew.
    """

    def __init__(self) -> None:
        self.ends: asyncio.Queue[signal.Signals] = asyncio.Queue()
        self.reload = asyncio.Event()
        self._had_terminal = has_terminal()
        self._heard: dict[signal.Signals, float] = {}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take signals from the running loop; afterwards nothing is left to ask for."""
        loop = asyncio.get_running_loop()
        asking = asking_signals()
        for number in asking:
            loop.add_signal_handler(number, self._hear, number)
        try:
            yield
        finally:
            for number in asking:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    def _hear(self, number: signal.Signals) -> None:
        """Take a signal, but not its echo.

        ``timeout``, ``uv run`` and others signal their child, and the terminal or the group does
        so too: one asking, which must not cut off the requests in flight.
        """
        now = time.monotonic()
        if now - self._heard.get(number, -ECHO) < ECHO:
            return
        self._heard[number] = now
        if asks_to_reload(number, had_terminal=self._had_terminal):
            self.reload.set()
        else:
            self.ends.put_nowait(number)

"""What signals ask of a running service: to end, or to take up new code.

``SIGHUP`` says either. A terminal that is closed sends it, and then the service is to end;
``kill -HUP`` and systemd send it to have a service reloaded. A process whose terminal was closed
cannot open ``/dev/tty`` any more, which tells the two apart. ``SIGUSR1`` says "reload" alone:
``fluxlit reload`` sends it, so it also reaches a service that has outlived its terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from fluxlit._signals import ignores_hangup

_LOG: Final = logging.getLogger("fluxlit.runtime")

RELOAD: Final = signal.SIGUSR1
"""The signal by which ``fluxlit reload`` asks."""

ECHO: Final = 0.3
"""Seconds in which the same signal once more is not asking again."""

HANGUP_TAKES: Final = 0.2
"""Seconds that the kernel has to take the terminal away after it has signalled.

When the leader of a session exits, Linux signals the processes in the foreground first and takes
their terminal after (``disassociate_ctty()`` in drivers/tty/tty_jobctrl.c).
"""

_TAKEN: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, RELOAD)


class Meaning(Enum):
    """What a signal says."""

    END = "end"
    RELOAD = "reload"
    NOTHING = "nothing"


class Hangup:
    """Tells what a ``SIGHUP`` means.

    Args:
        has_terminal: Whether this process has a controlling terminal now.
        outlives: Whether it was started to outlive its terminal, as ``nohup`` does.
    """

    def __init__(self, has_terminal: Callable[[], bool], *, outlives: bool) -> None:
        self._has_terminal = has_terminal
        self._outlives = outlives
        self._had_terminal = has_terminal()

    def may_be_closing(self) -> bool:
        """Whether there is a terminal, which may be about to be taken away."""
        return self._had_terminal and self._has_terminal()

    def meaning(self) -> Meaning:
        """Tell what the signal that was just received means."""
        if not self._had_terminal or self._has_terminal():
            return Meaning.RELOAD
        if not self._outlives:
            return Meaning.END
        self._had_terminal = False  # it has been told; what comes now does not come from there
        return Meaning.NOTHING


def has_terminal() -> bool:
    """Tell whether this process has a controlling terminal (tty(4): else opening it fails)."""
    try:
        descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(descriptor)
    return True


class SignalInbox:
    """Takes the signals of a service while it is open, and sorts them.

    ``timeout``, ``uv run`` and others signal their child, and the terminal or the group does so
    too: one asking, which must not cut off the requests in flight. So an echo is not heard; of
    ``fluxlit reload`` there is none, and each waits for a reload that begins after it has asked.

    Args:
        hangup: Tells what a ``SIGHUP`` means; by default this process's terminal does.

    Attributes:
        ends: Each time that somebody asked for an end.
        reload: Set when somebody asked for the code to be loaded anew.
    """

    def __init__(self, hangup: Hangup | None = None) -> None:
        self.ends: asyncio.Queue[signal.Signals] = asyncio.Queue()
        self.reload = asyncio.Event()
        self._hangup = hangup or Hangup(has_terminal, outlives=ignores_hangup())
        self._heard: dict[signal.Signals, float] = {}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take signals on the running loop; afterwards nothing is left to ask for."""
        loop = asyncio.get_running_loop()
        for number in _TAKEN:
            loop.add_signal_handler(number, self._hear, number)
        try:
            yield
        finally:
            for number in _TAKEN:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    def _hear(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if number is not RELOAD and now - self._heard.get(number, -ECHO) < ECHO:
            return
        self._heard[number] = now
        if number is signal.SIGHUP and self._hangup.may_be_closing():
            asyncio.get_running_loop().call_later(HANGUP_TAKES, self._sort, number)
        else:
            self._sort(number)

    def _sort(self, number: signal.Signals) -> None:
        match self._meaning(number):
            case Meaning.END:
                self.ends.put_nowait(number)
            case Meaning.RELOAD:
                self.reload.set()
            case Meaning.NOTHING:
                # The terminal is gone, and standard error may lead there.
                with contextlib.suppress(OSError):
                    _LOG.info("the terminal was closed; this service outlives it")

    def _meaning(self, number: signal.Signals) -> Meaning:
        if number is signal.SIGHUP:
            return self._hangup.meaning()
        return Meaning.RELOAD if number is RELOAD else Meaning.END

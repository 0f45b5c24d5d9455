"""A terminal of its own for a command, that can be closed as a window is."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A command that leads the session of a terminal.

    Args:
        command: What to start.
        directory: Its working directory.
        environment: Variables added to the test's own.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._master, theirs = pty.openpty()
        self._is_open = True
        self._shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *command],
            cwd=directory,
            env=clean_environment(environment or {}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def shown(self) -> str:
        """Read what there is to read; return all that was ever shown."""
        while select.select([self._master], [], [], 0)[0]:
            try:
                self._shown += os.read(self._master, 65536)
            except OSError:  # nobody has the other side open any more (EIO)
                break
        return self._shown.decode(errors="replace")

    def close(self) -> None:
        """Close the window: the kernel hangs up."""
        if self._is_open:
            self._is_open = False
            os.close(self._master)


@contextmanager
def in_terminal(
    *command: str, directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run a command in a terminal for as long as the block lasts."""
    terminal = Terminal(command, directory=directory, environment=environment)
    try:
        yield terminal
    finally:
        terminal.close()
        if terminal.process.poll() is None:
            terminal.process.kill()
        terminal.process.wait()

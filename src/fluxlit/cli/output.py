"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from fluxlit.exceptions import FluxLitError

if TYPE_CHECKING:
    from fluxlit.config.findings import Level

_COLOURS = ("32", "33;1", "31;1")
"""ANSI colours of PASS, WARN and FAIL."""


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours, where they are wanted: on a terminal, unless ``NO_COLOR`` is set (no-color.org).

    Attributes:
        on: Whether to paint.
    """

    on: bool

    @classmethod
    def for_stream(cls, stream: TextIO) -> Paint:
        """Decide for what is written to a stream."""
        return cls(stream.isatty() and not os.environ.get("NO_COLOR"))

    @classmethod
    def for_output(cls) -> Paint:
        """Decide for results."""
        return cls.for_stream(sys.stdout)

    def level(self, level: Level) -> str:
        """Return the word for a level, in its colour."""
        return self._wrap(level.status, _COLOURS[level])

    def red(self, text: str) -> str:
        """Paint an error."""
        return self._wrap(text, "31;1")

    def dim(self, text: str) -> str:
        """Paint what matters less."""
        return self._wrap(text, "2")

    def _wrap(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.on else text


def out(text: str) -> None:
    """Write a result."""
    print(text)  # noqa: T201 - this is where printing lives


def note(text: str) -> None:
    """Tell the person at the keyboard something that is not a result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where printing lives


def print_error(error: FluxLitError) -> None:
    """Tell what went wrong and what to do about it."""
    note(f"{Paint.for_stream(sys.stderr).red('error:')} {error}")
    if error.remedy:
        note(f"  try: {error.remedy}")

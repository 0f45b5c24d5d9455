"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys

from fluxlit.exceptions import FluxLitError


def note(text: str) -> None:
    """Tell the person at the keyboard something that is not a result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where printing lives


def print_error(error: FluxLitError) -> None:
    """Tell what went wrong and what to do about it."""
    note(f"{_red('error:')} {error}")
    if error.remedy:
        note(f"  try: {error.remedy}")


def _red(text: str) -> str:
    coloured = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return f"\033[31;1m{text}\033[0m" if coloured else text

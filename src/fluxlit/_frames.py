"""Whose code a frame of a traceback is: the reader's own, an installed package's, or machinery."""

from __future__ import annotations

import importlib
import sysconfig
from pathlib import Path
from types import TracebackType

_HOUSE = Path(__file__).parent
_IMPORT_SYSTEM = Path(importlib.__file__).parent


def is_installed(filename: str) -> bool:
    """Tell whether a frame is of Python's or an installed package's."""
    homes = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    return any(Path(filename).is_relative_to(home) for home in homes)


def is_machinery(filename: str) -> bool:
    """Tell whether a frame is the import system's or this package's own."""
    ours = (_HOUSE, _IMPORT_SYSTEM)
    return filename.startswith("<frozen") or any(Path(filename).is_relative_to(it) for it in ours)


def from_own_frame(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from its first frame on that is the reader's own; all of it if none is."""
    found = trace
    while found is not None:
        filename = found.tb_frame.f_code.co_filename
        if not is_installed(filename) and not is_machinery(filename):
            return found
        found = found.tb_next
    return trace

"""How much memory this process holds, and how it gives some back."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")


def resident_meter() -> Callable[[], int]:
    """Return a function that tells the resident memory in bytes, cheap enough for each run.

    On Linux it reads an open ``/proc/self/statm`` (proc(5)). Elsewhere it tells the highest value
    so far (getrusage(2)), which grows when memory does; where there is neither, it tells 0.
    """
    if _STATM.exists():
        descriptor = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        page = os.sysconf("SC_PAGE_SIZE")
        return lambda: int(os.pread(descriptor, 64, 0).split()[1]) * page
    try:
        import resource  # noqa: PLC0415 - Unix only
    except ImportError:
        return lambda: 0
    unit = 1 if sys.platform == "darwin" else 1024
    return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def give_back() -> None:
    """Return what the C library holds for later to the system, where it can (malloc_trim(3)).

    Without this, memory that was freed still counts as resident, and no growth would be seen
    until all of it is in use again.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # not GNU's
        return

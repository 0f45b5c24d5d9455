"""The last resort of a worker whose parent is gone: an end that needs no Python.

A thread hears that the parent is gone and ends the worker in order. But a thread has to get the
interpreter, and a page may be in a call that keeps it: a regular expression that runs for minutes,
a library that never lets go. So Linux is asked to signal the parent's death
(``PR_SET_PDEATHSIG``, prctl(2)), and the handler of that signal is no Python: it is ``alarm()`` of
the C library itself. A handler is called with its signal's number, and that of ``SIGHUP`` is 1: one
second later comes ``SIGALRM``, which ends a process that does not handle it.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1

SECONDS: Final = int(signal.SIGHUP)
"""Between the parent's death and the end, unless the end is put off."""


def end_with_parent() -> None:
    """Have the kernel end this process soon after its parent; elsewhere than on Linux do nothing.

    The parent is the thread that has started this process, so it has to be one that stays.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # a C library that is none of the usual
        libc = ctypes.CDLL(None)
        libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
        libc.signal.restype = ctypes.c_void_p
        libc.signal(signal.SIGHUP, ctypes.cast(libc.alarm, ctypes.c_void_p))
        libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGHUP), 0, 0, 0)


def put_off(seconds: int) -> None:
    """Take so many whole seconds more to end in order; afterwards the kernel ends this process."""
    if sys.platform == "linux":
        signal.alarm(seconds)

"""How many files and sockets a worker may have open."""

from __future__ import annotations

import contextlib

ENOUGH = 65_536
"""More than a process of Python can serve, and few enough for what goes through all of them."""


def allow_many() -> None:
    """Raise this process's own limit as far as its user may.

    Many systems begin with 1024, for the sake of programs that call ``select()``. A tab takes four
    or five descriptors in a UI worker, so that would be the end at two hundred tabs.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not everywhere

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = ENOUGH if most == resource.RLIM_INFINITY else min(most, ENOUGH)
        if now != resource.RLIM_INFINITY and now < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))

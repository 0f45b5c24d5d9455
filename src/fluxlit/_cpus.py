"""How many cores this process may use: what the scheduler and a container's quota leave of all.

Sources: sched_setaffinity(2); ``cpu.max`` in the kernel's cgroup-v2 documentation; for version 1
``cpu.cfs_quota_us`` and ``cpu.cfs_period_us`` in its CFS bandwidth control documentation.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path("/")


def usable_cpus(root: Path = ROOT) -> int:
    """Return the number of cores, at least 1; a part of a core that a quota leaves counts as one.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    quotas = [ceil(quota) for quota in _quotas(root)]
    return max(1, min([_scheduled(), *quotas]))


def _scheduled() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Read the quota of this process' group and of every group around it, in cores."""
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, _, tail = line.partition(":")
        controllers, _, group = tail.partition(":")
        mounted = {"": "sys/fs/cgroup", "cpu": "sys/fs/cgroup/cpu"}.get(
            "cpu" if "cpu" in controllers.split(",") else controllers
        )
        if mounted is None:
            continue
        inside = PurePosixPath(group.lstrip("/"))
        for folder in (inside, *inside.parents):
            quota = _quota(root / mounted / folder)
            if quota is not None:
                yield quota


def _quota(folder: Path) -> float | None:
    text = _read(folder / "cpu.max") or " ".join(
        _read(folder / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period")
    )
    return parse_quota(text)


def parse_quota(text: str) -> float | None:
    """Read quota and period, both in microseconds; None where there is no limit.

    >>> parse_quota("150000 100000"), parse_quota("max 100000"), parse_quota("-1 100000")
    (1.5, None, None)
    """
    quota, _, period = text.strip().partition(" ")
    if not quota.isdigit() or not period.strip().isdigit() or not int(period):
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii").strip()
    return None

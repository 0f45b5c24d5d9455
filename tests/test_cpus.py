from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluxlit._cpus import parse_quota, usable_cpus

PLENTY = "6400000 100000"


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """Lay out what the kernel shows of a process' control groups."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000", 0.5),
        ("max 100000", None),
        ("-1 100000", None),
        ("", None),
        ("100000 0", None),
        ("many words here", None),
    ],
)
def test_a_quota_is_read_as_cores(text: str, cores: float | None) -> None:
    assert parse_quota(text) == cores


def test_without_a_quota_the_scheduler_decides(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/app\n", {"sys/fs/cgroup/app/cpu.max": "50000 100000\n"}),
        (
            "0::/pod/app\n",
            {
                "sys/fs/cgroup/pod/app/cpu.max": "max 100000\n",
                "sys/fs/cgroup/pod/cpu.max": "100000 100000\n",
            },
        ),
        (
            "0::/pod/app\n",
            {"sys/fs/cgroup/pod/app/cpu.max": PLENTY, "sys/fs/cgroup/cpu.max": "10000 100000"},
        ),
        (
            "5:memory:/x\n4:cpu,cpuacct:/docker/1\n",
            {
                "sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "20000\n",
                "sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
            },
        ),
    ],
    ids=["own", "parent", "root", "version-1"],
)
def test_the_tightest_quota_around_the_process_counts(
    tmp_path: Path, groups: str, files: dict[str, str]
) -> None:
    assert usable_cpus(machine(tmp_path, groups, files)) == 1


def test_a_quota_above_what_the_scheduler_gives_changes_nothing(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/app\n", {"sys/fs/cgroup/app/cpu.max": PLENTY})
    assert usable_cpus(root) == min(64, len(os.sched_getaffinity(0)))

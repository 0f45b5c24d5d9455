from __future__ import annotations

import importlib.util

import pytest

from fluxlit.workers.command import WorkerKind, worker_command, worker_environment


@pytest.mark.parametrize("kind", list(WorkerKind))
def test_each_kind_is_a_module_that_exists(kind: WorkerKind) -> None:
    assert importlib.util.find_spec(kind.value) is not None
    assert worker_command("python", kind, 5) == ["python", "-P", "-m", kind.value, "5"]


def test_kinds_are_named_shortly_in_a_log() -> None:
    assert [kind.label for kind in WorkerKind] == ["gateway", "ui"]


@pytest.mark.parametrize("kind", list(WorkerKind))
def test_a_worker_inherits_the_environment_and_writes_at_once(kind: WorkerKind) -> None:
    given = {"PATH": "/bin", "PYTHONUNBUFFERED": "", "MALLOC_ARENA_MAX": "4"}
    made = worker_environment(kind, given)
    assert made.items() >= {"PATH": "/bin", "PYTHONUNBUFFERED": "1"}.items()
    assert made["MALLOC_ARENA_MAX"] == "4", "what the user has said stays"
    assert given["PYTHONUNBUFFERED"] == ""


def test_only_a_ui_worker_keeps_memory_for_its_next_run() -> None:
    kept = {kind: set(worker_environment(kind, {})) - {"PYTHONUNBUFFERED"} for kind in WorkerKind}
    assert not kept[WorkerKind.GATEWAY]
    assert kept[WorkerKind.UI] >= {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}

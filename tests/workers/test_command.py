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


def test_a_worker_inherits_the_environment_and_writes_at_once() -> None:
    given = {"PATH": "/bin", "PYTHONUNBUFFERED": ""}
    assert worker_environment(given) == {"PATH": "/bin", "PYTHONUNBUFFERED": "1"}
    assert given["PYTHONUNBUFFERED"] == ""

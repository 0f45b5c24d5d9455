"""Rules that hold for every test: their order, no silent skips, no process left behind."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

RUN_MARK = "PYTEST_RUN_MARK"
"""Environment variable that every process started by this test run inherits.

A grandchild whose parent has died is no longer below the test process; the mark still finds it.
"""

LEAVING_TIME = 10.0
"""Seconds that a process may take to be gone after the test that started it has ended."""

KINDS = ("unit", "integration", "browser")


def pytest_configure() -> None:
    os.environ[RUN_MARK] = uuid.uuid4().hex


def _kind(item: pytest.Item) -> str:
    """Return what a test is; a browser's loop runs on, so whatever uses one comes last."""
    return next((kind for kind in KINDS[:0:-1] if item.get_closest_marker(kind)), KINDS[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is quick and what others rest on first, so the first failure tells the most."""
    items.sort(key=lambda item: KINDS.index(_kind(item)))


def _skips_are_failures() -> bool:
    return os.environ.get("FLUXLIT_TESTS_NO_SKIP") == "1"


def _as_failure(reason: object) -> str:
    return f"Skipped, and FLUXLIT_TESTS_NO_SKIP=1 allows no skips: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of one test into a failure where nothing may be skipped."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _skips_are_failures():
        report.outcome = "failed"
        report.longrepr = _as_failure(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure where nothing may be skipped."""
    report = yield
    if report.skipped and _skips_are_failures():
        report.outcome = "failed"
        report.longrepr = _as_failure(report.longrepr)
    return report


def _bears_mark(process: psutil.Process) -> bool:
    try:
        return bool(process.environ().get(RUN_MARK) == os.environ[RUN_MARK])
    except psutil.Error:  # gone meanwhile, or another user's
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _started_processes() -> set[psutil.Process]:
    """Everything alive that this test run has started, orphans included."""
    own = psutil.Process()
    started = {process for process in psutil.process_iter() if _bears_mark(process)}
    started.update(own.children(recursive=True))
    started.discard(own)
    return {process for process in started if _is_alive(process)}


def _belongs_to(process: psutil.Process, keepers: set[psutil.Process]) -> bool:
    try:
        return process in keepers or any(parent in keepers for parent in process.parents())
    except psutil.NoSuchProcess:
        return True


def _describe(process: psutil.Process) -> str:
    try:
        return f"  {process.pid}: {' '.join(process.cmdline()) or process.name()}"
    except psutil.NoSuchProcess:
        return f"  {process.pid}: gone since"


@pytest.fixture(autouse=True)
def no_process_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test of real processes that leaves one behind, and end what it left.

    Processes of fixtures that outlive one test were there before it; they and whatever they start
    are not the test's.
    """
    if _kind(request.node) == "unit":
        yield
        return
    before = _started_processes()
    yield
    started = {item for item in _started_processes() - before if not _belongs_to(item, before)}
    _, left = psutil.wait_procs(started, timeout=LEAVING_TIME)
    left = [process for process in left if _is_alive(process)]
    described = [_describe(process) for process in left]
    for process in left:
        process.kill()
    if described:
        pytest.fail("\n".join(["This test left processes behind:", *described]))

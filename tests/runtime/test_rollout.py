from __future__ import annotations

import itertools
import json
import logging
import os
import time
from pathlib import Path

import pytest

from fluxlit.exceptions import FluxLitError, StartupError
from fluxlit.runtime.rollout import NONE, Progress, Rollouts, latest_rollout
from fluxlit.workers.rundir import RunDirectory, run_directory_of


def test_each_step_is_what_a_reader_sees(tmp_path: Path) -> None:
    assert latest_rollout(tmp_path) == NONE
    ticks = itertools.count(100.0, 1.5)
    rollouts = Rollouts(tmp_path, clock=lambda: next(ticks))
    rollouts.begin()
    begun = latest_rollout(tmp_path)
    assert (begun.number, begun.state, begun.is_over) == (1, Progress.RUNNING, False)
    assert abs(begun.started - time.time()) < 60
    rollouts.done("gateway-0, ui-0")
    over = latest_rollout(tmp_path)
    assert (over.number, over.state, over.message) == (1, Progress.DONE, "gateway-0, ui-0")
    assert (over.is_over, over.seconds, over.started) == (True, 1.5, begun.started)
    rollouts.begin()
    rollouts.failed(StartupError("no database", remedy="start it"))
    failed = latest_rollout(tmp_path)
    assert (failed.number, failed.state) == (2, Progress.FAILED)
    assert (failed.message, failed.remedy) == ("no database", "start it")
    assert [path.name for path in tmp_path.iterdir()] == ["rollout"]


def test_a_message_without_end_is_cut(tmp_path: Path) -> None:
    rollouts = Rollouts(tmp_path)
    rollouts.begin()
    rollouts.failed(StartupError("x" * 100_000))
    assert (tmp_path / "rollout").stat().st_size < 10_000


def test_a_folder_that_takes_no_file_fails_no_rollout(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("fluxlit").propagate = True
    rollouts = Rollouts(tmp_path / "missing")
    rollouts.begin()
    rollouts.done()
    assert "cannot tell how the reload goes" in caplog.text
    assert latest_rollout(tmp_path / "missing") == NONE


def test_a_reader_of_another_version_reads_what_it_knows(tmp_path: Path) -> None:
    told = {"number": 3, "state": "done", "colour": "blue"}
    (tmp_path / "rollout").write_text(json.dumps(told))
    assert latest_rollout(tmp_path).number == 3
    (tmp_path / "rollout").write_text("{")
    assert latest_rollout(tmp_path) == NONE


def test_the_run_directory_of_a_process_is_found(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef").mkdir()
    elsewhere = {"FLUXLIT_RUN_DIR": str(tmp_path / "elsewhere")}
    with RunDirectory(tmp_path) as own:
        assert run_directory_of(os.getpid(), elsewhere) == own.path  # by its open files
        (own.path / "lock").write_text("1\n")
        looked = {"FLUXLIT_RUN_DIR": str(tmp_path)}
        assert run_directory_of(1, looked) == own.path  # by looking around
        with pytest.raises(FluxLitError, match="cannot see the run directory"):
            run_directory_of(os.getpid(), looked)

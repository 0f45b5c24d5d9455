from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from tests.cli.conftest import schema
from typer.testing import CliRunner

from fluxlit.cli import app
from fluxlit.exceptions import StartupError
from fluxlit.frontend.cache import Job, open_cache
from fluxlit.frontend.coding import CODINGS


def build(folder: Path) -> dict[str, object]:
    runner = CliRunner(env={"FLUXLIT_CACHE_DIR": str(folder)})
    result = runner.invoke(app, ["build", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, schema("build"))
    assert isinstance(found, dict)
    return found


def test_build_makes_what_is_missing_and_a_service_finds_it(tmp_path: Path) -> None:
    cache, files = open_cache(tmp_path)
    jobs = cache.missing(files)
    for job in jobs[3:]:  # making them all would take half a minute
        path = cache.directory / f"{job.file.name}{job.coding.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    result = build(tmp_path)
    assert (result["directory"], result["made"]) == (str(cache.directory), 3)
    assert cache.missing(files) == []
    copies = [cache.read(job, job.file.source.read_bytes()) for job in jobs[:3]]
    assert sum(len(copy or b"") for copy in copies) == result["bytes"]
    assert build(tmp_path)["made"] == 0


def test_build_says_when_there_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot make copies"):
        build(tmp_path / "file")


def test_build_leaves_a_cache_alone_that_somebody_fills(tmp_path: Path) -> None:
    cache, files = open_cache(tmp_path)
    with cache.alone(), pytest.raises(StartupError, match="another process"):
        build(tmp_path)
    assert Job(files[0], CODINGS[0]) in cache.missing(files)

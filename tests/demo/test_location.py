from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit.demo.location import database_path
from fluxlit.exceptions import StartupError


def test_a_named_file_wins_and_its_directory_is_made(tmp_path: Path) -> None:
    named = tmp_path / "deep" / "desk.sqlite3"

    found = database_path({"FLUXLIT_DEMO_DB": str(named), "XDG_CACHE_HOME": "/nowhere"}, tmp_path)

    assert found == named
    assert named.parent.is_dir()


def test_a_named_file_whose_directory_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StartupError, match="cannot be made"):
        database_path({"FLUXLIT_DEMO_DB": str(tmp_path / "file" / "desk.sqlite3")}, tmp_path)


def test_the_cache_that_the_environment_names(tmp_path: Path) -> None:
    found = database_path({"XDG_CACHE_HOME": str(tmp_path / "xdg")}, Path("/nowhere"))

    assert found == tmp_path / "xdg" / "fluxlit" / "fluxlit-demo.sqlite3"


def test_the_cache_in_the_home_directory(tmp_path: Path) -> None:
    found = database_path({}, tmp_path)

    assert found == tmp_path / ".cache" / "fluxlit" / "fluxlit-demo.sqlite3"


def test_a_cache_that_cannot_be_written_leads_to_the_temporary_files(tmp_path: Path) -> None:
    (tmp_path / ".cache").touch()

    found = database_path({}, tmp_path, tmp_path)

    assert found.parent.parent == tmp_path
    assert found.parent.stat().st_mode & 0o077 == 0
    assert database_path({}, tmp_path, tmp_path) == found


def test_temporary_files_that_somebody_else_prepared_are_not_used(tmp_path: Path) -> None:
    (tmp_path / ".cache").touch()
    made = database_path({}, tmp_path, tmp_path).parent
    made.rename(tmp_path / "elsewhere")
    made.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StartupError, match="somebody else"):
        database_path({}, tmp_path, tmp_path)

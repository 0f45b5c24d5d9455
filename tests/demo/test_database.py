from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fluxlit.demo.catalog import Status
from fluxlit.demo.database import Database
from fluxlit.demo.models import IncidentChange, IncidentFilter
from fluxlit.demo.store import IncidentStore
from fluxlit.exceptions import StartupError

_CREATOR = """
import sys
from datetime import datetime
from pathlib import Path
from fluxlit.demo.database import Database

path, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
print("here", flush=True)
sys.stdin.readline()
Database(path).prepare(now)
"""


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_it_holds_a_few_thousand_rows(pristine: Path) -> None:
    with closing(sqlite3.connect(pristine)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM incidents").fetchone()

    assert 3_000 < count < 6_000


def test_two_files_made_for_the_same_moment_are_equal(
    pristine: Path, tmp_path: Path, now: datetime
) -> None:
    other = tmp_path / "other.sqlite3"
    Database(other).prepare(now)

    assert dump(other) == dump(pristine)


def test_preparing_again_changes_nothing(database: Database, now: datetime) -> None:
    before = dump(database.path)
    database.prepare(now)

    assert dump(database.path) == before


@pytest.mark.integration
def test_processes_that_create_it_at_once_leave_one_whole_file(
    pristine: Path, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "raced.sqlite3"
    creators = [
        subprocess.Popen(
            [sys.executable, "-c", _CREATOR, str(path), now.isoformat()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for creator in creators:
        assert creator.stdout is not None
        assert creator.stdout.readline() == "here\n"
    for creator in creators:
        assert creator.stdin is not None
        creator.stdin.write("\n")
        creator.stdin.flush()
    errors = [creator.communicate(timeout=60)[1] for creator in creators]

    assert errors == ["", "", "", ""]
    assert dump(path) == dump(pristine)


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, now: datetime) -> None:
    database = Database(tmp_path / "new.sqlite3")

    def fail_in_the_middle() -> None:
        with database.writing() as connection:
            connection.execute("CREATE TABLE half (made)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle()
    database.prepare(now)

    assert "half" not in "".join(dump(database.path))


def test_a_later_start_continues_the_history(database: Database, now: datetime) -> None:
    store, later = IncidentStore(database), now + timedelta(days=100)
    before = store.count(IncidentFilter(), now)
    unresolved: list[Status] = [status for status in Status if status is not Status.RESOLVED]
    stale = store.find(IncidentFilter(status=unresolved), now)

    database.prepare(later)

    assert store.count(IncidentFilter(), later) > before + 1_500
    assert store.count(IncidentFilter(opened_from=(later - timedelta(days=1)).date()), later)
    for incident in stale:
        assert store.get(incident.reference, later).status is Status.RESOLVED


def test_what_somebody_changed_is_left_alone(database: Database, now: datetime) -> None:
    store, later = IncidentStore(database), now + timedelta(days=10)
    touched = store.find(IncidentFilter(status=[Status.OPEN]), now)[0]
    store.change(touched.reference, IncidentChange(revision=0, note="Called the depot"), now)

    database.prepare(later)

    assert store.get(touched.reference, later).status is Status.OPEN


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "books.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE books (title)")
    before = path.read_bytes()

    with pytest.raises(StartupError, match="another program"):
        Database(path).prepare(now)

    assert path.read_bytes() == before


def test_another_version_is_refused(database: Database, now: datetime) -> None:
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("PRAGMA user_version = 99")

    with pytest.raises(StartupError, match="version 99"):
        database.prepare(now)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear depot, " * 200)

    with pytest.raises(StartupError, match="cannot be used"):
        Database(path).prepare(now)

    assert path.read_text().startswith("Dear depot")

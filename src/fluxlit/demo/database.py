"""The demo's SQLite file: made, continued and opened here.

Times are stored as whole seconds since the epoch, money as cents, vocabulary as its own text.
Invented rows carry a ``seed_key`` and revision 0 until somebody changes them; only such rows are
ever written again when the history is continued.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fluxlit.demo import seed
from fluxlit.demo.catalog import DEPOTS
from fluxlit.exceptions import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_NUMBER = 10_000
_VERSION = 1
_APPLICATION_ID = 0x666C7874  # "flxt": tells this file from any other SQLite database
_BUSY_SECONDS = 15.0
_REMEDY = "move the file away, or set FLUXLIT_DEMO_DB to another place"

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        seed_key TEXT UNIQUE,
        opened_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        resolved_at INTEGER,
        status TEXT NOT NULL,
        priority TEXT NOT NULL,
        kind TEXT NOT NULL,
        depot TEXT NOT NULL,
        region TEXT NOT NULL,
        cargo TEXT NOT NULL,
        summary TEXT NOT NULL,
        cost_cents INTEGER NOT NULL,
        revision INTEGER NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS incidents_opened ON incidents (opened_at)",
    """
    CREATE TABLE IF NOT EXISTS log (
        id INTEGER PRIMARY KEY,
        incident INTEGER NOT NULL REFERENCES incidents (id),
        at INTEGER NOT NULL,
        text TEXT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS log_incident ON log (incident)",
    f"""
    INSERT INTO sqlite_sequence (name, seq) SELECT 'incidents', {_FIRST_NUMBER}
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'incidents')
    """,  # noqa: S608 # a constant of this file
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)

_SEED_STATE = """
    UPDATE incidents SET status = ?, resolved_at = ? WHERE seed_key = ? AND revision = 0
"""
_SEED_ROW = """
    INSERT INTO incidents (seed_key, opened_at, due_at, resolved_at, status, priority, kind,
                           depot, region, cargo, summary, cost_cents, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
"""


def seconds(moment: datetime) -> int:
    """Turn an aware time into the form that the file stores."""
    return int(moment.timestamp())


def moment(stored: int) -> datetime:
    """Turn a stored time into an aware one."""
    return datetime.fromtimestamp(stored, UTC)


class Database:
    """The file, opened anew for each piece of work: safe in any thread and any process.

    Args:
        path: The file; made by :meth:`prepare`, in a directory that exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, now: datetime) -> None:
        """Make the file if need be, and let the invented history reach up to *now*.

        Any number of processes may do this at once: whoever is first writes all of it in one
        transaction, and the others find nothing left to do.

        Args:
            now: Until when the history goes. On a file that exists, later incidents are added
                and invented ones that nobody touched move on.

        Raises:
            StartupError: The file is something else, or of another version, or cannot be written.
        """
        try:
            with self.writing() as connection:
                self._refuse_foreign_file(connection)
                for statement in _SCHEMA:
                    connection.execute(statement)
                _continue_history(connection, now)
            # Only an optimisation, and refused while another process holds a lock.
            with closing(self._open()) as connection, suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            msg = f"the demo's database {self.path} cannot be used: {error}"
            raise StartupError(msg, remedy=_REMEDY) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one moment of the file."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the only connection that writes; all of it is kept, or nothing."""
        with closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def _refuse_foreign_file(self, connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application_id != _APPLICATION_ID:
            msg = f"{self.path} is a database of another program"
            raise StartupError(msg, remedy=_REMEDY)
        if version != _VERSION:
            msg = f"{self.path} is of the demo's version {version}, this is {_VERSION}"
            raise StartupError(msg, remedy=_REMEDY)


def _continue_history(connection: sqlite3.Connection, now: datetime) -> None:
    invented = connection.execute("SELECT seed_key, opened_at FROM incidents WHERE seed_key <> ''")
    known = {row["seed_key"]: row["opened_at"] for row in invented}
    if known:  # what was unresolved when the history ended may be resolved by now
        start = min(now, moment(max(known.values()))) - timedelta(days=seed.LONGEST_LIFE_DAYS + 1)
    else:
        start = now - timedelta(days=seed.HISTORY_DAYS)
    for item in seed.history(start.astimezone(UTC).date(), now):
        resolved_at = seconds(item.resolved_at) if item.resolved_at else None
        if item.key in known:
            connection.execute(_SEED_STATE, (item.status, resolved_at, item.key))
        else:
            connection.execute(_SEED_ROW, _seed_values(item, resolved_at))


def _seed_values(item: seed.SeedIncident, resolved_at: int | None) -> tuple[object, ...]:
    return (
        item.key, seconds(item.opened_at), seconds(item.due_at), resolved_at, item.status,
        item.priority, item.kind, item.depot, DEPOTS[item.depot], item.cargo, item.summary,
        round(item.cost_eur * 100),
    )  # fmt: skip

"""What the desk asks of its database: find, read, add and change incidents."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from fluxlit.demo.catalog import DEPOTS, SLA_HOURS, STATUS_LABELS, Priority, Status
from fluxlit.demo.database import Database, moment, seconds
from fluxlit.demo.models import (
    Entry,
    ImportedIncident,
    Incident,
    IncidentChange,
    IncidentDetail,
    IncidentFilter,
    Sort,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

REFERENCE_PREFIX = "PL-"

_INSERT = """
    INSERT INTO incidents (opened_at, due_at, status, priority, kind, depot, region, cargo,
                           summary, cost_cents, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
"""
_UPDATE = """
    UPDATE incidents SET status = :status, priority = :priority, due_at = :due_at,
                         resolved_at = :resolved_at, cost_cents = :cost_cents,
                         revision = revision + 1
    WHERE id = :id
"""
_LOG = "INSERT INTO log (incident, at, text) VALUES (?, ?, ?)"
_ORDER = {
    Sort.NEWEST: "opened_at DESC, id DESC",
    Sort.OLDEST: "opened_at, id",
    Sort.DUE: "resolved_at IS NOT NULL, due_at, id",
    Sort.COST: "cost_cents DESC, id DESC",
    Sort.PRIORITY: (
        "instr('critical high normal low', priority), resolved_at IS NOT NULL, due_at, id"
    ),
}


class StaleRevisionError(Exception):
    """Somebody changed the incident since it was read."""


class IncidentStore:
    """The incidents of one database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def find(
        self, wanted: IncidentFilter, now: datetime, *, limit: int = -1, offset: int = 0
    ) -> list[Incident]:
        """List the incidents that *wanted* describes, in its order."""
        where, values = _where(wanted, now)
        sql = (
            f"SELECT * FROM incidents WHERE {where}"  # noqa: S608 # our own fragments, bound values
            f" ORDER BY {_ORDER[wanted.sort]} LIMIT ? OFFSET ?"
        )
        with self.database.reading() as connection:
            rows = connection.execute(sql, (*values, limit, offset)).fetchall()
        return [Incident.model_validate(_fields(row, now)) for row in rows]

    def count(self, wanted: IncidentFilter, now: datetime) -> int:
        """Count the incidents that *wanted* describes."""
        where, values = _where(wanted, now)
        sql = f"SELECT count(*) FROM incidents WHERE {where}"  # noqa: S608 # as in find()
        with self.database.reading() as connection:
            return int(connection.execute(sql, values).fetchone()[0])

    def get(self, reference: str, now: datetime) -> IncidentDetail:
        """Read one incident with its log.

        Raises:
            LookupError: There is none of that reference.
        """
        with self.database.reading() as connection:
            row = _row(connection, reference)
            log = connection.execute(
                "SELECT at, text FROM log WHERE incident = ? ORDER BY id", (row["id"],)
            ).fetchall()
        entries = [Entry(at=moment(line["at"]), text=line["text"]) for line in log]
        return IncidentDetail.model_validate({**_fields(row, now), "log": entries})

    def add(self, incident: ImportedIncident, *, origin: str) -> str:
        """Take an incident on.

        Args:
            incident: What happened, and when.
            origin: How the desk learned of it; opens the log.

        Returns:
            Its reference.
        """
        with self.database.writing() as connection:
            return _insert(connection, incident, origin)

    def add_new(
        self, incidents: Iterable[ImportedIncident], *, origin: str
    ) -> list[tuple[str, bool]]:
        """Take on those incidents that the desk does not know, all in one transaction.

        Args:
            incidents: What happened, and when.
            origin: How the desk learned of them; opens their logs.

        Returns:
            For each in the order given, its reference, and whether it is new.
        """
        results = []
        with self.database.writing() as connection:
            for incident in incidents:
                known = _twin(connection, incident)
                results.append((known or _insert(connection, incident, origin), known is None))
        return results

    def twins(self, incidents: Iterable[ImportedIncident]) -> list[str | None]:
        """Look up incidents that tell of the same event: time, depot, kind and summary agree.

        Returns:
            For each in the order given, the reference of the one on the desk, or None.
        """
        with self.database.reading() as connection:
            return [_twin(connection, incident) for incident in incidents]

    def change(self, reference: str, change: IncidentChange, now: datetime) -> None:
        """Apply a change and log it; a change that changes nothing leaves no trace.

        Raises:
            LookupError: There is none of that reference.
            StaleRevisionError: The change was made from another revision than the present one.
        """
        with self.database.writing() as connection:
            row = _row(connection, reference)
            if row["revision"] != change.revision:
                raise StaleRevisionError(reference)
            after, lines = _changed(row, change, now)
            if lines:
                connection.execute(_UPDATE, after)
                connection.executemany(_LOG, [(row["id"], seconds(now), line) for line in lines])


def _insert(connection: sqlite3.Connection, incident: ImportedIncident, origin: str) -> str:
    opened_at = seconds(incident.opened_at)
    cursor = connection.execute(
        _INSERT,
        (
            opened_at, _due(opened_at, incident.priority), Status.OPEN, incident.priority,
            incident.kind, incident.depot, DEPOTS[incident.depot], incident.cargo,
            incident.summary, round(incident.cost_eur * 100),
        ),
    )  # fmt: skip
    connection.execute(_LOG, (cursor.lastrowid, opened_at, origin))
    return f"{REFERENCE_PREFIX}{cursor.lastrowid}"


def _twin(connection: sqlite3.Connection, incident: ImportedIncident) -> str | None:
    row = connection.execute(
        "SELECT id FROM incidents WHERE opened_at = ? AND depot = ? AND kind = ? AND summary = ?",
        (seconds(incident.opened_at), incident.depot, incident.kind, incident.summary),
    ).fetchone()
    return f"{REFERENCE_PREFIX}{row['id']}" if row else None


def _due(opened_at: int, priority: str) -> int:
    return opened_at + SLA_HOURS[Priority(priority)] * 3600


def _row(connection: sqlite3.Connection, reference: str) -> sqlite3.Row:
    number = reference.removeprefix(REFERENCE_PREFIX)
    if reference == number or not number.isascii() or not number.isdigit() or len(number) > 15:
        raise LookupError(reference)
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM incidents WHERE id = ?", (int(number),)
    ).fetchone()
    if found is None:
        raise LookupError(reference)
    return found


def _fields(row: sqlite3.Row, now: datetime) -> dict[str, object]:
    resolved = row["resolved_at"]
    copied = ("status", "priority", "kind", "depot", "cargo", "summary", "revision")
    return {
        **{name: row[name] for name in copied},
        "reference": f"{REFERENCE_PREFIX}{row['id']}",
        "opened_at": moment(row["opened_at"]),
        "due_at": moment(row["due_at"]),
        "resolved_at": None if resolved is None else moment(resolved),
        "cost_eur": row["cost_cents"] / 100,
        "breached": (seconds(now) if resolved is None else resolved) > row["due_at"],
    }


def _changed(
    row: sqlite3.Row, change: IncidentChange, now: datetime
) -> tuple[dict[str, object], list[str]]:
    """Work out the row after the change, and what the log says about it."""
    after = dict(row)
    lines = [change.note] if change.note else []
    if change.status is not None and change.status != row["status"]:
        before = STATUS_LABELS[Status(row["status"])]
        lines.append(f"Status: {before} → {STATUS_LABELS[change.status]}")
        after["status"] = change.status
        after["resolved_at"] = seconds(now) if change.status is Status.RESOLVED else None
    if change.priority is not None and change.priority != row["priority"]:
        lines.append(f"Priority: {row['priority']} → {change.priority}")
        after["priority"] = change.priority
        after["due_at"] = _due(row["opened_at"], change.priority)
    if change.cost_eur is not None and round(change.cost_eur * 100) != row["cost_cents"]:
        lines.append(f"Cost: {row['cost_cents'] / 100:,.2f} € → {change.cost_eur:,.2f} €")
        after["cost_cents"] = round(change.cost_eur * 100)
    return after, lines


def _where(wanted: IncidentFilter, now: datetime) -> tuple[str, list[object]]:
    """Translate a filter into conditions and the values bound to them."""
    conditions: list[str] = ["1"]
    values: list[object] = []
    for column in ("status", "priority", "region", "kind", "depot"):
        if chosen := getattr(wanted, column):
            conditions.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values.extend(chosen)
    for word in wanted.q.split():
        conditions.append(f"('{REFERENCE_PREFIX}' || id || ' ' || summary) LIKE ? ESCAPE '!'")
        values.append(f"%{_like(word)}%")
    if wanted.breached is not None:
        conditions.append(f"(coalesce(resolved_at, ?) > due_at) = {int(wanted.breached)}")
        values.append(seconds(now))
    if wanted.opened_from is not None:
        conditions.append("opened_at >= ?")
        values.append(_midnight(wanted.opened_from))
    if wanted.opened_to is not None:
        conditions.append("opened_at < ?")
        values.append(_midnight(wanted.opened_to) + 86_400)
    return " AND ".join(conditions), values


def _like(word: str) -> str:
    for special in "!%_":
        word = word.replace(special, f"!{special}")
    return word


def _midnight(day: date) -> int:
    return seconds(datetime.combine(day, time(), UTC))

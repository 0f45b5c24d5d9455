"""The desk's key figures, added up from one pass over the rows of two periods.

A few thousand rows cost less to fetch once than to group seven times; what falls into a period is
decided here, in one place, for totals and charts alike.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from fluxlit.demo.catalog import KIND_LABELS, Kind, Priority, Region
from fluxlit.demo.database import Database, moment, seconds
from fluxlit.demo.models import Day, Overview, Slice, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DAY = 86_400


class _Row(NamedTuple):
    """One incident, as far as the figures need it."""

    opened: int
    due: int
    resolved: int | None
    priority: str
    kind: str
    region: str
    cents: int


@dataclass(frozen=True, slots=True)
class _Period:
    start: int
    end: int

    def __contains__(self, stored: int | None) -> bool:
        return stored is not None and self.start <= stored < self.end


def overview(
    database: Database, now: datetime, *, days: int, regions: Sequence[Region] = ()
) -> Overview:
    """Add up the last *days* days, today included, and as many before them.

    Args:
        database: Where the incidents are.
        now: The moment of the view.
        days: How long a period is.
        regions: Only these; all when empty.

    Returns:
        The figures of both periods, and the series and slices of the later one.
    """
    midnight = seconds(datetime.combine(now.astimezone(UTC).date(), time(), UTC))
    current = _Period(midnight + _DAY - days * _DAY, seconds(now) + 1)
    # The period before ends at the same time of day, so that half a day is compared with half.
    previous = _Period(current.start - days * _DAY, current.end - days * _DAY)
    rows = _rows(database, previous.start, current.end, regions)
    recent = [row for row in rows if row.opened in current]
    return Overview(
        as_of=now,
        days=days,
        current=_totals(rows, current),
        previous=_totals(rows, previous),
        series=_series(rows, current, days),
        by_region=_slices(recent, current.end, Region, lambda row: row.region),
        by_kind=_slices(recent, current.end, KIND_LABELS.values(), _kind_label),
        by_priority=_slices(recent, current.end, Priority, lambda row: row.priority),
        rhythm=_rhythm(recent),
    )


def _rows(database: Database, start: int, end: int, regions: Sequence[Region]) -> list[_Row]:
    """Fetch what was opened in the two periods, or not yet resolved when they began."""
    only = f" AND region IN ({', '.join('?' * len(regions))})" if regions else ""
    sql = (
        "SELECT opened_at, due_at, resolved_at, priority, kind, region, cost_cents FROM incidents"  # noqa: S608 # question marks only
        f" WHERE opened_at < ? AND (opened_at >= ? OR coalesce(resolved_at, ?) >= ?){only}"
    )
    with database.reading() as connection:
        cursor = connection.execute(sql, (end, start, end, start, *regions))
        cursor.row_factory = None
        return [_Row(*values) for values in cursor]


def _kind_label(row: _Row) -> str:
    return KIND_LABELS[Kind(row.kind)]


def _totals(rows: list[_Row], period: _Period) -> Totals:
    opened = [row for row in rows if row.opened in period]
    resolved = [row for row in rows if row.resolved in period]
    return Totals(
        opened=len(opened),
        resolved=len(resolved),
        backlog=sum(_unresolved(row, period.end) for row in rows),
        sla_met=_sla_met(opened, period.end),
        median_hours=_median_hours(resolved),
        cost_eur=_euros(opened),
    )


def _unresolved(row: _Row, at: int) -> bool:
    return row.opened < at and (row.resolved is None or row.resolved >= at)


def _breached(row: _Row, at: int) -> bool:
    solved = row.resolved if row.resolved is not None and row.resolved < at else at
    return solved > row.due


def _sla_met(rows: Iterable[_Row], at: int) -> float | None:
    """Give the share solved in time, of all whose outcome is known at that moment."""
    known = [row for row in rows if not _unresolved(row, at) or _breached(row, at)]
    if not known:
        return None
    return round(1 - sum(_breached(row, at) for row in known) / len(known), 4)


def _median_hours(rows: Iterable[_Row]) -> float | None:
    hours = [(row.resolved - row.opened) / 3600 for row in rows if row.resolved is not None]
    return round(median(hours), 2) if hours else None


def _euros(rows: Iterable[_Row]) -> float:
    return sum(row.cents for row in rows) / 100


def _series(rows: list[_Row], period: _Period, days: int) -> list[Day]:
    opened: dict[int, list[_Row]] = defaultdict(list)
    resolved: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.opened in period:
            opened[row.opened // _DAY].append(row)
        if row.resolved is not None and row.resolved in period:
            resolved[row.resolved // _DAY].append(row)
    backlog = sum(_unresolved(row, period.start) for row in rows)
    series = []
    for day in range(period.start // _DAY, period.start // _DAY + days):
        backlog += len(opened[day]) - len(resolved[day])
        series.append(
            Day(
                day=moment(day * _DAY).date(),
                opened=len(opened[day]),
                resolved=len(resolved[day]),
                backlog=backlog,
                cost_eur=_euros(opened[day]),
                sla_met=_sla_met(opened[day], period.end),
                median_hours=_median_hours(resolved[day]),
            )
        )
    return series


def _slices(
    rows: list[_Row], at: int, names: Iterable[str], name_of: Callable[[_Row], str]
) -> list[Slice]:
    groups: dict[str, list[_Row]] = {str(name): [] for name in names}
    for row in rows:
        groups[name_of(row)].append(row)
    return [
        Slice(
            name=name,
            opened=len(group),
            breached=sum(_breached(row, at) for row in group),
            sla_met=_sla_met(group, at),
            cost_eur=_euros(group),
        )
        for name, group in groups.items()
    ]


def _rhythm(rows: list[_Row]) -> list[list[int]]:
    grid = [[0] * 24 for _ in range(7)]
    for row in rows:
        # The epoch began on a Thursday, the third day after Monday.
        grid[(row.opened // _DAY + 3) % 7][row.opened % _DAY // 3600] += 1
    return grid

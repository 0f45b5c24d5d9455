"""The desk's key figures.

All of them are sums over one period, grouped by something or by nothing, and judged as things stood
at its end; SQLite adds them up, so that a view of ninety days costs a few milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from fluxlit.demo.catalog import KIND_LABELS, Priority, Region
from fluxlit.demo.database import Database, moment, seconds
from fluxlit.demo.models import Day, Overview, Slice, Totals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

_DAY: Final = 86_400

# An outcome is known once an incident is solved or late, whichever comes first.
_SUMS = """
    SELECT {key},
           count(*),
           sum(min(coalesce(resolved_at, :end), :end) > due_at),
           sum(coalesce(resolved_at, :end) < :end OR due_at < :end),
           sum(cost_cents)
    FROM incidents WHERE opened_at >= :start AND opened_at < :end {only}
    GROUP BY 1
"""
_SOLVED = """
    SELECT resolved_at / 86400, resolved_at - opened_at
    FROM incidents WHERE resolved_at >= :start AND resolved_at < :end {only}
"""
_BACKLOG = """
    SELECT count(*) FROM incidents
    WHERE opened_at < :at AND coalesce(resolved_at, :at) >= :at {only}
"""
# The epoch began on a Thursday, the third day after Monday.
_HOUR_OF_WEEK: Final = "(opened_at / 86400 + 3) % 7 * 24 + opened_at % 86400 / 3600"


@dataclass(frozen=True, slots=True)
class _Sums:
    """What one group adds up to."""

    opened: int = 0
    late: int = 0
    known: int = 0
    cents: int = 0

    @property
    def sla_met(self) -> float | None:
        return round(1 - self.late / self.known, 4) if self.known else None


class _Figures:
    """Asks one connection about one selection of regions."""

    def __init__(self, connection: sqlite3.Connection, regions: Sequence[Region]) -> None:
        self._connection = connection
        self._values = {f"region{number}": region for number, region in enumerate(regions)}
        names = ", ".join(f":{name}" for name in self._values)
        self._only = f"AND region IN ({names})" if names else ""

    def sums(self, key: str, start: int, end: int) -> Mapping[object, _Sums]:
        """Add up what was opened in a period, by an expression of ours."""
        return {
            value: _Sums(*figures)
            for value, *figures in self._rows(_SUMS, key=key, start=start, end=end)
        }

    def hours_by_day(self, start: int, end: int) -> Mapping[int, list[float]]:
        """List how long each incident took that was solved in a period, by day."""
        days: dict[int, list[float]] = defaultdict(list)
        for day, took in self._rows(_SOLVED, start=start, end=end):
            days[day].append(took / 3600)
        return days

    def backlog(self, at: int) -> int:
        """Count what was unresolved at a moment."""
        ((count,),) = self._rows(_BACKLOG, at=at)
        return int(count)

    def totals(self, start: int, end: int) -> Totals:
        """Add up one period."""
        sums = self.sums("0", start, end).get(0, _Sums())
        hours = [took for day in self.hours_by_day(start, end).values() for took in day]
        return Totals(
            opened=sums.opened,
            resolved=len(hours),
            backlog=self.backlog(end),
            sla_met=sums.sla_met,
            median_hours=_median(hours),
            cost_eur=sums.cents / 100,
        )

    def _rows(self, sql: str, *, key: str = "", **values: int) -> list[tuple[int, ...]]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        sql = sql.format(key=key, only=self._only)
        return cursor.execute(sql, {**self._values, **values}).fetchall()


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
    start, end = midnight - (days - 1) * _DAY, seconds(now) + 1
    # The period before ends at the same time of day, so that half a day is compared with half.
    earlier_start, earlier_end = start - days * _DAY, end - days * _DAY
    with database.reading() as connection:
        figures = _Figures(connection, regions)
        return Overview(
            as_of=now,
            days=days,
            current=figures.totals(start, end),
            previous=figures.totals(earlier_start, earlier_end),
            series=_series(figures, start, end, days),
            by_region=_slices(figures.sums("region", start, end), {name: name for name in Region}),
            by_kind=_slices(figures.sums("kind", start, end), KIND_LABELS),
            by_priority=_slices(
                figures.sums("priority", start, end), {name: name for name in Priority}
            ),
            rhythm=_rhythm(figures.sums(_HOUR_OF_WEEK, start, end)),
        )


def _median(hours: Sequence[float]) -> float | None:
    return round(median(hours), 2) if hours else None


def _series(figures: _Figures, start: int, end: int, days: int) -> list[Day]:
    opened = figures.sums("opened_at / 86400", start, end)
    solved = figures.hours_by_day(start, end)
    backlog = figures.backlog(start)
    series = []
    for day in range(start // _DAY, start // _DAY + days):
        sums, hours = opened.get(day, _Sums()), solved.get(day, [])
        backlog += sums.opened - len(hours)
        series.append(
            Day(
                day=moment(day * _DAY).date(),
                opened=sums.opened,
                resolved=len(hours),
                backlog=backlog,
                cost_eur=sums.cents / 100,
                sla_met=sums.sla_met,
                median_hours=_median(hours),
            )
        )
    return series


def _slices(groups: Mapping[object, _Sums], labels: Mapping[Any, str]) -> list[Slice]:
    return [
        Slice(
            name=label,
            opened=sums.opened,
            breached=sums.late,
            sla_met=sums.sla_met,
            cost_eur=sums.cents / 100,
        )
        for value, label in labels.items()
        for sums in (groups.get(value, _Sums()),)
    ]


def _rhythm(hours: Mapping[object, _Sums]) -> list[list[int]]:
    return [
        [hours.get(weekday * 24 + hour, _Sums()).opened for hour in range(24)]
        for weekday in range(7)
    ]

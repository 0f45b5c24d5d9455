from __future__ import annotations

import time
from datetime import datetime, timedelta
from statistics import median

import pytest

from fluxlit.demo.catalog import KIND_LABELS, Region
from fluxlit.demo.database import Database
from fluxlit.demo.models import Incident, IncidentFilter
from fluxlit.demo.overview import overview
from fluxlit.demo.store import IncidentStore


@pytest.fixture
def incidents(database: Database, now: datetime) -> list[Incident]:
    return IncidentStore(database).find(IncidentFilter(), now)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def test_totals_agree_with_a_count_by_hand(
    database: Database, incidents: list[Incident], now: datetime
) -> None:
    start = midnight(now) - timedelta(days=27)
    opened = [item for item in incidents if item.opened_at >= start]
    solved = [item for item in incidents if item.resolved_at and item.resolved_at >= start]
    known = [item for item in opened if item.resolved_at or item.breached]

    figures = overview(database, now, days=28).current

    assert figures.opened == len(opened)
    assert figures.resolved == len(solved)
    assert figures.backlog == sum(item.resolved_at is None for item in incidents)
    assert figures.sla_met == pytest.approx(
        1 - sum(item.breached for item in known) / len(known), abs=1e-4
    )
    assert figures.median_hours == pytest.approx(
        median((item.resolved_at - item.opened_at).total_seconds() / 3600
               for item in solved if item.resolved_at), abs=0.01,
    )  # fmt: skip
    assert figures.cost_eur == pytest.approx(sum(item.cost_eur for item in opened), abs=0.01)


def test_the_period_before_is_seen_as_it_was_then(database: Database, now: datetime) -> None:
    previous = overview(database, now, days=7).previous

    assert previous == overview(database, now - timedelta(days=7), days=7).current


def test_series_and_slices_add_up_to_the_totals(database: Database, now: datetime) -> None:
    found = overview(database, now, days=28)

    assert len(found.series) == 28
    assert found.series[-1].day == now.date()
    for name in ("opened", "resolved", "cost_eur"):
        total = getattr(found.current, name)
        assert sum(getattr(day, name) for day in found.series) == pytest.approx(total)
    assert found.series[-1].backlog == found.current.backlog
    for slices in (found.by_region, found.by_kind, found.by_priority):
        assert sum(item.opened for item in slices) == found.current.opened
    assert sum(map(sum, found.rhythm)) == found.current.opened
    assert [item.name for item in found.by_kind] == list(KIND_LABELS.values())


def test_the_rhythm_is_by_weekday_and_hour(
    database: Database, incidents: list[Incident], now: datetime
) -> None:
    start = midnight(now) - timedelta(days=6)
    grid = [[0] * 24 for _ in range(7)]
    for item in incidents:
        if item.opened_at >= start:
            grid[item.opened_at.weekday()][item.opened_at.hour] += 1

    assert overview(database, now, days=7).rhythm == grid


def test_regions_narrow_everything(database: Database, now: datetime) -> None:
    chosen = [Region.ALPINE, Region.IBERIA]
    found = overview(database, now, days=28, regions=chosen)
    alone = [overview(database, now, days=28, regions=[region]).current for region in chosen]

    assert found.current.opened == sum(totals.opened for totals in alone)
    assert found.current.backlog == sum(totals.backlog for totals in alone)
    assert {item.name for item in found.by_region if item.opened} == set(chosen)


def test_an_empty_file_has_no_figures_and_no_errors(tmp_path_factory: pytest.TempPathFactory,
                                                    now: datetime) -> None:  # fmt: skip
    database = Database(tmp_path_factory.mktemp("empty") / "desk.sqlite3")
    database.prepare(now)
    with database.writing() as connection:
        connection.execute("DELETE FROM incidents")

    found = overview(database, now, days=7)

    assert found.current.opened == found.current.backlog == 0
    assert found.current.sla_met is None
    assert found.current.median_hours is None


def test_ninety_days_cost_less_than_100_ms_of_processor_time(
    database: Database, now: datetime
) -> None:
    def cost() -> float:
        start = time.thread_time()
        overview(database, now, days=90)
        return time.thread_time() - start

    assert min(cost() for _ in range(5)) < 0.1

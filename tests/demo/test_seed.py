from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from fluxlit.demo.catalog import SLA_HOURS, Status
from fluxlit.demo.seed import LONGEST_LIFE_DAYS, SeedIncident, history

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)
FIRST = date(2026, 1, 5)


def made(first: date = FIRST, now: datetime = NOW) -> list[SeedIncident]:
    return list(history(first, now))


def test_the_same_days_bring_the_same_incidents() -> None:
    assert made() == made()


def test_a_day_does_not_depend_on_where_the_history_begins() -> None:
    late = made(first=date(2026, 3, 1))

    assert made()[-len(late) :] == late


def test_time_only_adds_incidents_and_solves_known_ones() -> None:
    before = {item.key: item for item in made()}
    after = {item.key: item for item in made(now=NOW + timedelta(days=3))}

    assert before.keys() < after.keys()
    for key, item in before.items():
        assert after[key].summary == item.summary
        if item.resolved_at is not None:
            assert after[key] == item
    assert any(
        item.resolved_at is None and after[key].resolved_at is not None
        for key, item in before.items()
    )


def test_nothing_is_known_before_it_happens() -> None:
    for item in made():
        assert item.opened_at <= NOW
        assert item.resolved_at is None or item.opened_at < item.resolved_at <= NOW
        assert (item.resolved_at is not None) == (item.status is Status.RESOLVED)
        assert item.due_at - item.opened_at == timedelta(hours=SLA_HOURS[item.priority])


def test_nothing_stays_unresolved_for_longer_than_a_continued_history_looks_back() -> None:
    for item in made(first=date(2025, 9, 1)):
        if item.resolved_at is None:
            assert NOW - item.opened_at <= timedelta(days=LONGEST_LIFE_DAYS)


def test_working_days_are_busier_than_weekends() -> None:
    by_weekday = Counter(item.opened_at.weekday() for item in made())

    assert max(by_weekday[5], by_weekday[6]) < min(by_weekday[day] for day in range(5))


def test_keys_are_unique_and_times_ascend() -> None:
    items = made()

    assert len({item.key for item in items}) == len(items)
    assert [item.opened_at for item in items] == sorted(item.opened_at for item in items)

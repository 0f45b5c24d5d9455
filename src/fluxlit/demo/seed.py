"""The carrier's past, invented: the same day always brings the same incidents.

Each day is drawn from a random generator of its own, so a history can be made from any day to any
moment, and made longer later, without a stored state. Nothing here reads a clock or a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeVar

from fluxlit.demo.catalog import DEPOTS, SLA_HOURS, Cargo, Kind, Priority, Region, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")

HISTORY_DAYS = 180
# No invented incident stays unresolved for longer, so a history need not be remade further back.
LONGEST_LIFE_DAYS = 40

_WEEKDAY_VOLUME = (32.0, 28.0, 27.0, 29.0, 34.0, 13.0, 7.0)
_HOUR_WEIGHTS = (2, 2, 2, 3, 6, 9, 11, 12, 10, 9, 8, 7, 7, 8, 9, 9, 8, 7, 5, 4, 4, 3, 3, 2)

_DEPOT_WEIGHTS = dict(zip(DEPOTS, (16, 6, 8, 7, 12, 8, 6, 9, 10, 6, 7, 5), strict=True))
_CARGO_WEIGHTS = dict(zip(Cargo, (30, 18, 17, 14, 9, 12), strict=True))
_KIND_WEIGHTS = dict(zip(Kind, (18, 34, 15, 11, 9, 13), strict=True))
_PRIORITY_WEIGHTS = {
    Kind.TEMPERATURE: (18, 38, 36, 8),
    Kind.DELAY: (3, 20, 52, 25),
    Kind.EQUIPMENT: (8, 28, 45, 19),
    Kind.CUSTOMS: (4, 26, 54, 16),
    Kind.DAMAGE: (3, 17, 50, 30),
    Kind.DOCK: (1, 10, 47, 42),
}
# Share of the time allowed that half of the incidents need: customs offices take theirs.
_PACE = {
    Kind.TEMPERATURE: 0.42,
    Kind.DELAY: 0.42,
    Kind.EQUIPMENT: 0.52,
    Kind.CUSTOMS: 0.64,
    Kind.DAMAGE: 0.50,
    Kind.DOCK: 0.36,
}
_MEDIAN_COST = {
    Kind.TEMPERATURE: 640.0,
    Kind.DELAY: 145.0,
    Kind.EQUIPMENT: 420.0,
    Kind.CUSTOMS: 210.0,
    Kind.DAMAGE: 530.0,
    Kind.DOCK: 60.0,
}
_CARGO_VALUE = dict(zip(Cargo, (1.0, 0.9, 1.1, 1.5, 4.5, 1.3), strict=True))
_PRIORITY_COST = dict(zip(Priority, (2.6, 1.5, 1.0, 0.6), strict=True))
_SET_POINT = dict(zip(Cargo, (4.0, 4.0, -20.0, 1.0, 5.0, 6.0), strict=True))

_SUMMARIES = {
    Kind.TEMPERATURE: (
        "Trailer {trailer}: hold at {temperature:+.1f} °C, set point {set_point:+.1f} °C",
        "Probe {probe} of trailer {trailer} above its limit for {minutes} min",
        "Trailer {trailer}: door open for {minutes} min at loading, hold at {temperature:+.1f} °C",
    ),
    Kind.DELAY: (
        "Tour {tour} runs {minutes} min late, unloading slot {slot} at risk",
        "Tour {tour} missed its ferry, next departure in {hours} h",
        "Tour {tour}: road closed, detour of {kilometres} km",
        "Tour {tour} waits for a relief driver, {minutes} min lost so far",
    ),
    Kind.EQUIPMENT: (
        "Trailer {trailer}: compressor fault code {code}",
        "Trailer {trailer}: tail lift stuck, {pallets} pallets on board",
        "Trailer {trailer}: telematics silent for {hours} h",
        "Cooling cell {dock} of the depot at reduced power, fault code {code}",
    ),
    Kind.CUSTOMS: (
        "Tour {tour}: health certificate missing for {pallets} pallets",
        "Tour {tour}: tariff number questioned, {pallets} pallets held",
        "Tour {tour}: seal number differs from the transit document",
    ),
    Kind.DAMAGE: (
        "Tour {tour}: {pallets} pallets crushed, photos taken",
        "Tour {tour}: load shifted, {pallets} pallets to repack",
        "Tour {tour}: consignee refused {pallets} pallets, wet cartons",
    ),
    Kind.DOCK: (
        "Dock {dock} blocked, {pallets} pallets wait outside",
        "Dock {dock}: seal torn, swapped to the next free dock",
        "Tour {tour} arrived without a slot, yard full until {slot}",
    ),
}


@dataclass(frozen=True, slots=True)
class SeedIncident:
    """An invented incident, as it stands at the moment it was made for."""

    key: str
    opened_at: datetime
    due_at: datetime
    resolved_at: datetime | None
    status: Status
    priority: Priority
    kind: Kind
    depot: str
    cargo: Cargo
    summary: str
    cost_eur: float


def history(first_day: date, now: datetime) -> Iterator[SeedIncident]:
    """Invent the incidents from the start of *first_day* (UTC) until *now*, oldest first.

    Args:
        first_day: The first day that brings incidents.
        now: An aware time; what happens later is not known yet, solutions included.

    Yields:
        The incidents by opening time.
    """
    for offset in range((now.astimezone(UTC).date() - first_day).days + 1):
        for incident in _incidents_of(first_day + timedelta(days=offset), now):
            if incident.opened_at <= now:
                yield incident


def _incidents_of(day: date, now: datetime) -> Iterator[SeedIncident]:
    rng = Random(f"polarlane {day.isoformat()}")  # noqa: S311 # invents a demo, guards nothing
    storm = rng.choice(list(Region)) if rng.random() < 0.04 else None
    seconds = sorted(_second_of_day(rng) for _ in range(_volume(day, rng, storm=storm is not None)))
    midnight = datetime.combine(day, time(), UTC)
    for index, second in enumerate(seconds):
        yield _incident(f"{day}/{index}", midnight + timedelta(seconds=second), now, rng, storm)


def _volume(day: date, rng: Random, *, storm: bool) -> int:
    """How many incidents: the weekday's mean with the spread that independent events have."""
    mean = _WEEKDAY_VOLUME[day.weekday()] * (1 + 0.18 * _summer(day)) * (1.7 if storm else 1.0)
    return max(0, round(rng.gauss(mean, math.sqrt(mean))))


def _summer(day: date) -> float:
    """From -1 in late January to +1 in late July."""
    return math.cos((day.timetuple().tm_yday - 205) / 365.25 * 2 * math.pi)


def _second_of_day(rng: Random) -> int:
    return rng.choices(range(24), _HOUR_WEIGHTS)[0] * 3600 + rng.randrange(3600)


def _pick(rng: Random, weights: Mapping[T, float]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _incident(
    key: str, opened_at: datetime, now: datetime, rng: Random, storm: Region | None
) -> SeedIncident:
    depots = _DEPOT_WEIGHTS
    if storm is not None and rng.random() < 0.6:
        depots = {name: 1 for name, region in DEPOTS.items() if region is storm}
    depot = _pick(rng, depots)
    kinds = {**_KIND_WEIGHTS, Kind.TEMPERATURE: 18 * (1 + 0.45 * _summer(opened_at.date()))}
    kind = _pick(rng, kinds)
    cargo = _pick(rng, _CARGO_WEIGHTS)
    priority = rng.choices(list(Priority), _PRIORITY_WEIGHTS[kind])[0]
    if cargo is Cargo.PHARMA and priority is Priority.LOW:
        priority = Priority.NORMAL
    due_at = opened_at + timedelta(hours=SLA_HOURS[priority])
    solved_at = _solved_at(opened_at, kind, priority, DEPOTS[depot], rng)
    late = solved_at > due_at
    cost = (
        _MEDIAN_COST[kind] * _CARGO_VALUE[cargo] * _PRIORITY_COST[priority]
        * rng.lognormvariate(0, 0.75) * (1.6 if late else 1.0)
    )  # fmt: skip
    return SeedIncident(
        key=key,
        opened_at=opened_at,
        due_at=due_at,
        resolved_at=solved_at if solved_at <= now else None,
        status=_status(opened_at, solved_at, now, rng.random()),
        priority=priority,
        kind=kind,
        depot=depot,
        cargo=cargo,
        summary=_summary(kind, cargo, rng),
        cost_eur=round(cost, 2),
    )


def _solved_at(
    opened_at: datetime, kind: Kind, priority: Priority, region: Region, rng: Random
) -> datetime:
    pace = _PACE[kind] * (1.2 if region in {Region.ADRIATIC, Region.ALPINE} else 1.0)
    if opened_at.weekday() >= 5 and priority in {Priority.NORMAL, Priority.LOW}:
        pace *= 1.35  # a small crew keeps the weekend
    stuck = 6.0 if rng.random() < 0.05 else 1.0  # waits for a part, a paper or an expert
    hours = SLA_HOURS[priority] * stuck * rng.lognormvariate(math.log(pace), 0.75)
    hours = min(max(hours, 0.2), LONGEST_LIFE_DAYS * 24.0)
    return opened_at + timedelta(seconds=round(hours * 3600))


def _status(opened_at: datetime, solved_at: datetime, now: datetime, draw: float) -> Status:
    if solved_at <= now:
        return Status.RESOLVED
    if (now - opened_at) / (solved_at - opened_at) < 0.3 * draw + 0.1:
        return Status.OPEN
    return Status.WAITING if draw > 0.72 else Status.IN_PROGRESS


def _summary(kind: Kind, cargo: Cargo, rng: Random) -> str:
    set_point = _SET_POINT[cargo]
    return rng.choice(_SUMMARIES[kind]).format(
        trailer=f"T-{rng.randint(104, 489)}",
        tour=f"{rng.choice('ABDEKLN')}{rng.randint(1000, 9799)}",
        set_point=set_point,
        temperature=set_point + rng.uniform(2.1, 9.5),
        probe=rng.randint(1, 4),
        minutes=rng.randrange(15, 195, 5),
        hours=rng.randint(2, 9),
        kilometres=rng.randrange(25, 190, 5),
        pallets=rng.randint(2, 26),
        dock=rng.randint(1, 28),
        code=f"{rng.choice('AEF')}{rng.randint(10, 99)}",
        slot=f"{rng.randint(5, 22):02}:{rng.choice(('00', '30'))}",
    )

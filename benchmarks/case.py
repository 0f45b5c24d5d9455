"""What a case is: one thing to measure, and whom it is measured on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from benchmarks.arena import Running
from benchmarks.contestants import Contestant
from benchmarks.measures import Metric

OURS = "fluxlit"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a turn is: seconds for the timed cases, MiB for the transfers."""

    api: float
    reruns: float
    frame: float
    tabs: float
    transfer: int


# Many short turns rather than few long ones: what is compared should lie close together in time.
FULL = Effort(api=3, reruns=3, frame=4, tabs=4, transfer=300)
QUICK = Effort(api=2, reruns=1.5, frame=2, tabs=2, transfer=300)

Measure = Callable[[Running, Effort], Awaitable[dict[str, float]]]


class Lifetime(Enum):
    """How long a contestant's processes serve a case."""

    CASE = "all contestants start before the first turn and stay; the others idle"
    TURN = "each turn starts its contestant, alone on the machine"


class Needs(Enum):
    """What a contestant must offer to take part."""

    API = "api"
    UI = "ui"
    BOTH = "both"
    ANY = "any"

    def met_by(self, contestant: Contestant) -> bool:
        """Return whether the contestant can take part."""
        has_api = contestant.api is not None
        has = {Needs.API: has_api, Needs.UI: contestant.ui, Needs.BOTH: has_api and contestant.ui}
        return has.get(self, True)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        name: Used on the command line and in the results.
        title: What is measured, for the table.
        baseline: The contestant that the others are compared with.
        metrics: The figures that ``measure`` returns, and how to read them.
        measure: One turn.
        page: The page that the contestants serve.
        needs: What a contestant must offer.
        among: The names of those who take part; empty for all that are in every case.
        ours: The contestant that the goals are for.
        lifetime: When contestants are started.
        most_rounds: Enough rounds for this case.
    """

    name: str
    title: str
    baseline: str
    metrics: tuple[Metric, ...]
    measure: Measure
    page: str = "small"
    needs: Needs = Needs.UI
    among: tuple[str, ...] = ()
    ours: str = OURS
    lifetime: Lifetime = Lifetime.CASE
    most_rounds: int = 100

    def takes(self, contestant: Contestant) -> bool:
        """Return whether a contestant takes part."""
        if self.among:
            return contestant.name in self.among
        return not contestant.special and self.needs.met_by(contestant)

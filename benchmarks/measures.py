"""From single values to what may be said: comparisons within a round, median, spread, goal.

Pure: no process, clock or file. A shared machine's speed drifts by a factor of two within minutes,
so a value is only ever compared with the baseline's value of the same round.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class Comparison(Enum):
    """How a value is set against the baseline's value of the same round."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    NONE = "value itself"

    def apply(self, value: float, baseline: float | None) -> float | None:
        """Return the compared value, or None if there is nothing to compare with."""
        if self is Comparison.NONE:
            return value
        if baseline is None or (self is Comparison.RATIO and baseline == 0):
            return None
        return value / baseline if self is Comparison.RATIO else value - baseline


@dataclass(frozen=True, slots=True)
class Goal:
    """What the project promises of its own median."""

    limit: float
    higher_is_better: bool

    def met(self, value: float) -> bool:
        """Return whether the value keeps the promise."""
        return value >= self.limit if self.higher_is_better else value <= self.limit


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a case.

    Attributes:
        key: Its name in what a measure returns.
        title: Its name in the table.
        comparison: How it is set against the baseline.
        goal: What is promised of it, if anything.
    """

    key: str
    title: str
    comparison: Comparison = Comparison.RATIO
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, as measured."""

    case: str
    metric: str
    contestant: str
    round: int
    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What the rounds say about one figure of one contestant."""

    case: str
    metric: str
    contestant: str
    median: float
    lowest: float
    highest: float
    rounds: int


def turn_order(names: Sequence[str], round_number: int) -> list[str]:
    """Return the contestants in a round's order: each round begins one further on.

    Example:
        >>> turn_order(["a", "b", "c"], 1)
        ['b', 'c', 'a']
    """
    shift = round_number % len(names) if names else 0
    return [*names[shift:], *names[:shift]]


def summarise(samples: Iterable[Sample], case: str, metric: Metric, baseline: str) -> list[Summary]:
    """Compare every contestant with the baseline, round by round.

    Args:
        samples: Of any cases and metrics.
        case: The case to look at.
        metric: The figure to look at.
        baseline: The contestant to compare with.

    Returns:
        One summary for each contestant with a comparable value, in the order of appearance.
    """
    values: dict[str, dict[int, float]] = {}
    for sample in samples:
        if (sample.case, sample.metric) == (case, metric.key):
            values.setdefault(sample.contestant, {})[sample.round] = sample.value
    reference = values.get(baseline, {})
    found = []
    for contestant, by_round in values.items():
        compared = [
            result
            for number, value in by_round.items()
            if (result := metric.comparison.apply(value, reference.get(number))) is not None
        ]
        if compared:
            found.append(_summary(case, metric.key, contestant, compared))
    return found


def _summary(case: str, metric: str, contestant: str, compared: list[float]) -> Summary:
    return Summary(
        case,
        metric,
        contestant,
        median=statistics.median(compared),
        lowest=min(compared),
        highest=max(compared),
        rounds=len(compared),
    )

"""The table for the reader and the JSON for later."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.case import Case
from benchmarks.contestants import Contestant
from benchmarks.measures import Comparison, Goal, Metric, Summary, summarise
from benchmarks.rounds import Record

_EXPLANATION = """\
Each figure is the median over the rounds, lowest to highest round in brackets. "x" is a multiple of
the baseline's value in the same round, "+ s" a difference to it; the baseline itself shows "1".
"""


class Report:
    """Reads the record, case by case.

    Args:
        record: What was measured.
        cases: The cases that ran.
        contestants: Those that took part.
    """

    def __init__(
        self, record: Record, cases: Sequence[Case], contestants: Sequence[Contestant]
    ) -> None:
        self._record = record
        self._cases = cases
        self._contestants = contestants

    def markdown(self) -> str:
        """Return one table a case, then the goals, the failures and the disturbances."""
        parts = [_EXPLANATION, *map(self._table, self._cases), self._goals()]
        notes = [f"- {each}" for each in (*self._outside_load(), *self._record.notes)]
        if notes:
            parts.append("\n".join(["Disturbances:", "", *notes, ""]))
        return "\n".join(parts)

    def write_json(self, path: Path, about: Mapping[str, object]) -> None:
        """Write every single value, the summaries, and what is known about the run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            **about,
            "samples": [asdict(each) for each in self._record.samples],
            "failures": [asdict(each) for each in self._record.failures],
            "notes": self._record.notes,
            "outside_load": self._record.outside_load,
            "summaries": [
                asdict(each)
                for case in self._cases
                for metric in case.metrics
                for each in self._summaries(case, metric)
            ],
        }
        path.write_text(json.dumps(content, indent=1) + "\n")

    def _outside_load(self) -> list[str]:
        shares = self._record.outside_load
        if not shares:
            return []
        median, most = statistics.median(shares), max(shares)
        return [f"other work kept {median:.0%} of the cores busy before a turn, {most:.0%} at most"]

    def _summaries(self, case: Case, metric: Metric) -> list[Summary]:
        return summarise(self._record.samples, case.name, metric, case.baseline)

    def _table(self, case: Case) -> str:
        columns = [
            {each.contestant: each for each in self._summaries(case, metric)}
            for metric in case.metrics
        ]
        failures = {
            each.contestant: each.reason for each in self._record.failures if each.case == case.name
        }
        rows = [
            _row(contestant.title, self._cells(case, contestant, columns, failures))
            for contestant in self._contestants
            if case.takes(contestant)
        ]
        head = _row("", [metric.title for metric in case.metrics])
        rule = "|---|" + "---|" * len(case.metrics)
        return "\n".join([f"### {case.title}", "", head, rule, *rows, ""])

    def _cells(
        self,
        case: Case,
        contestant: Contestant,
        columns: Sequence[Mapping[str, Summary]],
        failures: Mapping[str, str],
    ) -> list[str]:
        if contestant.name in failures:
            reason = failures[contestant.name].replace("|", "/").replace("\n", " ")
            return [f"failed: {reason[:160]}", *[""] * (len(case.metrics) - 1)]
        cells = []
        for metric, column in zip(case.metrics, columns, strict=True):
            is_baseline = contestant.name == case.baseline
            if is_baseline and metric.comparison is not Comparison.NONE and column:
                cells.append("1" if metric.comparison is Comparison.RATIO else "0")
            else:
                cells.append(show(metric.comparison, column.get(contestant.name)))
        return cells

    def _goals(self) -> str:
        rows = [
            _row(f"{case.title}: {metric.title}", self._verdict(case, metric, metric.goal))
            for case in self._cases
            for metric in case.metrics
            if metric.goal
        ]
        if not rows:
            return ""
        head = _row("", ["goal", "measured", ""])
        return "\n".join(["### Goals", "", head, "|---|---|---|---|", *rows, ""])

    def _verdict(self, case: Case, metric: Metric, goal: Goal) -> list[str]:
        ours = {each.contestant: each for each in self._summaries(case, metric)}.get(case.ours)
        sign = "≥" if goal.higher_is_better else "≤"
        verdict = "not measured" if ours is None else "met" if goal.met(ours.median) else "MISSED"
        return [f"{sign} {goal.limit:g}", show(metric.comparison, ours), verdict]


def show(comparison: Comparison, summary: Summary | None) -> str:
    """Return a summary as text: median, then the spread if there was more than one round."""
    if summary is None:
        return "-"
    sign = "+" if comparison is Comparison.DIFFERENCE else ""
    digits = ".1f" if comparison is Comparison.NONE else ".2f"
    unit = "x" if comparison is Comparison.RATIO else ""
    median = f"{summary.median:{sign}{digits}}{unit}"
    if summary.rounds == 1:
        return median
    return f"{median} ({summary.lowest:{sign}{digits}} … {summary.highest:{sign}{digits}})"


def _row(first: str, rest: Sequence[str]) -> str:
    return "| " + " | ".join([first, *rest]) + " |"

from __future__ import annotations

import pytest
from benchmarks.case import Case
from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS
from benchmarks.drivers.load import WrongAnswerError, parse_wrk
from benchmarks.measures import Comparison, Goal, Metric, Sample, summarise, turn_order
from benchmarks.report import Report, show
from benchmarks.rounds import Failure, Record

RATE = Metric("rate", "rate")


def rates(contestant: str, *values: float) -> list[Sample]:
    return [Sample("api", "rate", contestant, number, each) for number, each in enumerate(values)]


def test_every_round_starts_one_contestant_further_on() -> None:
    orders = [turn_order(["a", "b", "c"], number) for number in range(4)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]
    assert turn_order([], 3) == []


def test_values_are_compared_with_the_baseline_of_their_own_round() -> None:
    # The machine is half as fast in the second round; the ratio does not change.
    samples = rates("base", 100, 50, 100) + rates("ours", 90, 45, 80)
    summary = {each.contestant: each for each in summarise(samples, "api", RATE, "base")}["ours"]
    assert (summary.median, summary.lowest, summary.highest) == (0.9, 0.8, 0.9)
    assert summary.rounds == 3


def test_rounds_without_a_baseline_do_not_count() -> None:
    samples = rates("base", 100) + rates("ours", 90, 10)
    summary = {each.contestant: each for each in summarise(samples, "api", RATE, "base")}["ours"]
    assert (summary.median, summary.rounds) == (0.9, 1)
    assert summarise(rates("ours", 90), "api", RATE, "base") == []


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [(Comparison.RATIO, 1.5), (Comparison.DIFFERENCE, 1.0), (Comparison.NONE, 3.0)],
)
def test_comparisons(comparison: Comparison, expected: float) -> None:
    assert comparison.apply(3.0, 2.0) == expected


def test_a_ratio_to_nothing_is_no_ratio() -> None:
    assert Comparison.RATIO.apply(3.0, 0.0) is None


def test_goals_know_their_direction() -> None:
    assert Goal(0.92, higher_is_better=True).met(0.95)
    assert not Goal(0.92, higher_is_better=True).met(0.9)
    assert Goal(0.35, higher_is_better=False).met(0.3)
    assert not Goal(0.35, higher_is_better=False).met(0.4)


def test_a_single_round_shows_no_spread() -> None:
    (summary,) = summarise(rates("base", 5), "api", RATE, "base")
    assert show(Comparison.RATIO, summary) == "1.00x"
    assert show(Comparison.DIFFERENCE, None) == "-"


def test_the_report_tells_missed_goals_failures_and_disturbances() -> None:
    case = next(each for each in CASES if each.name == "api")
    record = Record(rates("fastapi", 100, 100) + rates("fluxlit", 80, 90))
    record.failures.append(Failure("api", "nginx", "nginx is missing"))
    record.notes.append("api, round 1: not idle")
    text = Report(record, [case], CONTESTANTS).markdown()
    assert "| FluxLit | 0.85x (0.80 … 0.90) | - |" in text
    assert "0.85x (0.80 … 0.90) | MISSED |" in text
    assert "failed: nginx is missing" in text
    assert "- api, round 1: not idle" in text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_compares_contestants_that_take_part_in_it(case: Case) -> None:
    names = {each.name for each in CONTESTANTS if case.takes(each)}
    assert {case.baseline, *case.among} <= names
    assert case.ours in names or not any(metric.goal for metric in case.metrics)


def test_a_special_line_up_is_only_in_cases_that_name_it() -> None:
    special = {each.name for each in CONTESTANTS if each.special}
    open_to_all = [case for case in CASES if not case.among]
    assert special
    assert open_to_all
    assert not any(case.takes(each) for case in open_to_all for each in CONTESTANTS if each.special)


WRK_OUTPUT = "  20 requests in 2.00s, 3MB read\nRequests/sec:     10.5\n"


def test_wrk_is_read() -> None:
    assert parse_wrk(WRK_OUTPUT) == {"rate": 10.5, "count": 20.0}


@pytest.mark.parametrize(
    "trouble",
    [
        "Non-2xx or 3xx responses: 4\n",
        "Socket errors: connect 0, read 3, write 0, timeout 0\n",
        "Socket errors: connect 0, read 0, write 0, timeout 10\n",
    ],
)
def test_a_run_with_failed_answers_does_not_count(trouble: str) -> None:
    with pytest.raises(WrongAnswerError):
        parse_wrk(WRK_OUTPUT + trouble)
    with pytest.raises(WrongAnswerError):
        parse_wrk("unable to connect")

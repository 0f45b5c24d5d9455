"""Command line: ``python -m benchmarks [--quick] [--case …] [--contestant …] [--rounds N]``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.case import FULL, QUICK, Case
from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.environment import (
    BENCH,
    NGINX,
    WRK,
    MissingToolError,
    machine,
    published_python,
    this_python,
    versions,
)
from benchmarks.report import Report
from benchmarks.rounds import CaseRun, Record


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare FluxLit with other ways to serve the same API and pages.",
        epilog="cases: " + "; ".join(f"{case.name} = {case.title}" for case in CASES),
    )
    names = [case.name for case in CASES]
    parser.add_argument("--case", action="append", choices=names, help="only this case (repeat)")
    parser.add_argument(
        "--contestant",
        action="append",
        choices=[each.name for each in CONTESTANTS],
        help="only this contestant, ours, and the baselines (repeat)",
    )
    parser.add_argument("--rounds", type=int, help="default 7, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--json", type=Path, default=BENCH / "results.json", metavar="PATH")
    return parser.parse_args(words)


def chosen_contestants(names: Sequence[str] | None, cases: Sequence[Case]) -> list[Contestant]:
    """Return the named contestants with the baselines of the cases; all if none is named."""
    if not names:
        return list(CONTESTANTS)
    wanted = {*names, *(case.baseline for case in cases), *(case.ours for case in cases)}
    return [each for each in CONTESTANTS if each.name in wanted]


def known_versions() -> dict[str, object]:
    """Return the versions of everything that takes part."""
    found: dict[str, object] = {
        "current": versions(this_python()),
        "wrk": WRK.version(),
        "nginx": NGINX.version(),
    }
    try:
        found["published"] = versions(published_python())
    except MissingToolError as error:
        found["published"] = str(error)
    return found


def main() -> int:
    options = arguments()
    # Both unwind, so that whatever was started is ended. A shell may have had SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cases = [case for case in CASES if not options.case or case.name in options.case]
    contestants = chosen_contestants(options.contestant, cases)
    effort = QUICK if options.quick else FULL
    rounds = options.rounds or (2 if options.quick else 7)
    about = {"machine": machine(), "versions": known_versions(), "rounds": rounds}
    record = Record()
    report = Report(record, cases, contestants)
    try:
        for case in cases:
            CaseRun(case, contestants, effort, record, say)(rounds)
    except KeyboardInterrupt:
        say("interrupted; everything started has been ended")
        return 130
    finally:
        report.write_json(options.json, about)
        print(report.markdown())
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

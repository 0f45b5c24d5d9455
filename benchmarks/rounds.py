"""Runs a case: rounds of turns, every contestant once a round, in rotating order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import aiohttp

from benchmarks.arena import Running, running
from benchmarks.case import Case, Effort, Lifetime
from benchmarks.contestants import Contestant
from benchmarks.drivers.load import WrongAnswerError
from benchmarks.drivers.readiness import NotReadyError
from benchmarks.environment import MissingToolError
from benchmarks.measures import Sample, turn_order
from benchmarks.processes import MachineLoad, wait_until_idle

# What a contestant may do wrong without ending the whole benchmark.
FAILURES = (
    WrongAnswerError,
    NotReadyError,
    MissingToolError,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
)
# More than this share of a core used by those whose turn it is not is worth a note.
_DISTURBING = 0.05
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A contestant that could not do a case, and is left out of its further rounds."""

    case: str
    contestant: str
    reason: str


@dataclass(slots=True)
class Record:
    """Everything that has been seen so far.

    Attributes:
        samples: What the turns measured.
        failures: Who was left out of what.
        notes: What may have disturbed a turn.
        outside_load: Share of all cores in use just before each turn, with the contestants idle.
    """

    samples: list[Sample] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outside_load: list[float] = field(default_factory=list)


class CaseRun:
    """One case with its contestants.

    Args:
        case: What to measure.
        contestants: Who takes part; those that cannot are left out.
        effort: How much work a turn is.
        record: Where the outcome goes.
        say: Told about the progress.
    """

    def __init__(
        self,
        case: Case,
        contestants: Sequence[Contestant],
        effort: Effort,
        record: Record,
        say: Callable[[str], None],
    ) -> None:
        self._case = case
        self._effort = effort
        self._record = record
        self._say = say
        self._able = {each.name: each for each in contestants if case.takes(each)}
        self._running: dict[str, Running] = {}

    def __call__(self, rounds: int) -> None:
        """Measure ``rounds`` times, or as often as is enough for the case."""
        with ExitStack() as stack:
            if self._case.lifetime is Lifetime.CASE:
                self._start_all(stack)
            else:
                self._rehearse()
            for number in range(min(rounds, self._case.most_rounds)):
                for name in turn_order(list(self._able), number):
                    if name in self._able:
                        self._turn(self._able[name], number)

    def _start_all(self, stack: ExitStack) -> None:
        for name, contestant in list(self._able.items()):
            with self._failing_alone(name):
                self._running[name] = stack.enter_context(running(contestant, self._case.page))

    def _rehearse(self) -> None:
        """Start each once without measuring: the first start reads its files from the disk."""
        for name, contestant in list(self._able.items()):
            with self._failing_alone(name), running(contestant, self._case.page):
                pass

    def _turn(self, contestant: Contestant, number: int) -> None:
        with self._failing_alone(contestant.name):
            if self._case.lifetime is Lifetime.TURN:
                self._look_around()
                with running(contestant, self._case.page) as fresh:
                    self._measure(fresh, number)
            else:
                self._measure_among_others(self._running[contestant.name], number)

    def _measure_among_others(self, active: Running, number: int) -> None:
        others = [each.tree for each in self._running.values() if each is not active]
        if not wait_until_idle(each.tree for each in self._running.values()):
            self._note(f"round {number + 1}: not idle before {active.contestant.name}'s turn")
        self._look_around()
        before, started = sum(tree.cpu_seconds() for tree in others), time.monotonic()
        self._measure(active, number)
        share = (sum(tree.cpu_seconds() for tree in others) - before) / (time.monotonic() - started)
        if share > _DISTURBING:
            name = active.contestant.name
            self._note(
                f"round {number + 1}: others used {share:.0%} of a core during {name}'s turn"
            )

    def _look_around(self) -> None:
        """Note how busy others keep the machine while nothing of ours works."""
        load = MachineLoad()
        time.sleep(_LOOK_SECONDS)
        self._record.outside_load.append(load.share())

    def _measure(self, active: Running, number: int) -> None:
        figures = asyncio.run(self._take(active))
        name = active.contestant.name
        self._record.samples += [
            Sample(self._case.name, key, name, number, value) for key, value in figures.items()
        ]
        shown = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
        self._say(f"{self._case.name:<13} round {number + 1}  {name:<13} {shown}")

    async def _take(self, active: Running) -> dict[str, float]:
        return await self._case.measure(active, self._effort)

    @contextmanager
    def _failing_alone(self, name: str) -> Iterator[None]:
        """Let a contestant that fails drop out of the case without ending it for the others."""
        try:
            yield
        except FAILURES as error:
            reason = str(error) or type(error).__name__
            self._able.pop(name)
            self._record.failures.append(Failure(self._case.name, name, reason))
            self._say(f"{self._case.name:<13} {name} left out: {reason}")

    def _note(self, text: str) -> None:
        self._record.notes.append(f"{self._case.name}, {text}")
        self._say(f"{self._case.name:<13} {text}")

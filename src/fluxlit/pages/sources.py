"""Where the values of a page's parameters come from; together they are the page's plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fluxlit.exceptions import PageError, PageInputError
from fluxlit.pages.inputs import Input, QueryModel
from fluxlit.pages.markers import MISSING
from fluxlit.pages.run import Call, Run


class Source(Protocol):
    """Where the value of a parameter comes from."""

    def value(self, run: Run) -> object:
        """Return the value in one run; ``MISSING`` leaves the parameter to its default."""


@dataclass(frozen=True, slots=True)
class Provided:
    """Something that the app has.

    Attributes:
        kind: The class that the parameter names.
        base: The class under which the app provides it.
        optional: What there is not may be left out.
        nullable: What there is not may be None.
    """

    kind: type
    base: type
    optional: bool = False
    nullable: bool = False

    def value(self, run: Run) -> object:
        """Return it.

        Raises:
            PageError: There is none, or it is of another class.
        """
        found = run.provided.get(self.base)
        if found is None:
            if self.optional:
                return MISSING
            if self.nullable:
                return None
            msg = f"the app has no {self.kind.__name__}"
            raise PageError(msg, remedy=f"give it one, or write {self.kind.__name__} | None")
        if self.kind is not self.base and not isinstance(found, self.kind):
            msg = f"the app has {type(found).__name__}, not {self.kind.__name__}"
            raise PageError(msg, remedy=f"annotate the parameter with {type(found).__name__}")
        return found


@dataclass(frozen=True, slots=True)
class FromRequest:
    """A value of the request that opened the page."""

    source: Input | QueryModel

    def value(self, run: Run) -> object:
        """Return it, checked."""
        return self.source.read(run.visit)


@dataclass(frozen=True, slots=True)
class Dependency:
    """What another function provides.

    Attributes:
        call: The function.
        plan: What it needs itself.
        replan: Plans a function that is called in its place.
        use_cache: It is called once a run, whether it provides something or fails.
    """

    call: Call
    plan: Plan
    replan: Callable[[Call], Plan]
    use_cache: bool = True

    def value(self, run: Run) -> object:
        """Return what it provides in this run."""
        if not self.use_cache:
            return self._called(run)
        if self.call in run.failures:
            error, trace = run.failures[self.call]
            raise error.with_traceback(trace)  # else it grows with everyone who asks
        if self.call not in run.cache:
            try:
                run.cache[self.call] = self._called(run)
            except Exception as exc:
                run.failures[self.call] = exc, exc.__traceback__
                raise
        return run.cache[self.call]

    def _called(self, run: Run) -> object:
        call, plan = run.replaced.get(self.call, self.call), self.plan
        if call is not self.call:
            plan = self.replan(call)
        return run.call(call, plan.arguments(run))


@dataclass(frozen=True, slots=True)
class Need:
    """One parameter that is given something."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Plan:
    """What a function needs.

    Attributes:
        needs: Its parameters that are given something, in order.
        annotations: All of its parameters with the text of their annotation.
        loose: What strict signatures would refuse.
    """

    needs: tuple[Need, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    loose: tuple[str, ...] = ()

    def arguments(self, run: Run) -> dict[str, object]:
        """Gather the arguments of one run.

        Raises:
            PageInputError: The request lacks something or holds it malformed; all that is wrong
                is told at once.
            PageError: The app has nothing to give to a parameter.
        """
        chosen: dict[str, object] = {}
        problems: list[str] = []
        for need in self.needs:
            try:
                value = run.values[need.name] if need.name in run.values else need.source.value(run)
            except PageInputError as exc:
                problems.extend(exc.problems)
                continue
            if value is not MISSING:
                chosen[need.name] = value
        if problems:
            raise PageInputError(*dict.fromkeys(problems))
        return chosen

    def sources(self) -> list[Source]:
        """Return all sources, those of dependencies too."""
        found: list[Source] = []
        for need in self.needs:
            found.append(need.source)
            if isinstance(need.source, Dependency):
                found.extend(need.source.plan.sources())
        return found


UNPLANNED: Final = Plan()
"""The plan of a page record that was made by hand."""

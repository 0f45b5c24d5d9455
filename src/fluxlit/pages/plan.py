"""From a page's signature to a plan of what to give it: made once, at registration.

The rules are FastAPI's: a marker decides; else the name (``st``, ``client``, a path parameter);
else the type, which is something that the app provides or something that an address can hold.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType, NoneType
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import is_protocol

from fluxlit.client import ApiClient
from fluxlit.exceptions import PageSignatureError
from fluxlit.pages.connection import CONNECTIONS, FromConnection
from fluxlit.pages.inputs import Input, QueryModel, adapter_of, is_readable, takes_many
from fluxlit.pages.markers import (
    Depends,
    InputMarker,
    Place,
    dependency_marker,
    input_marker,
)
from fluxlit.pages.run import Call
from fluxlit.pages.signature import Declared, allows_none, class_of, declared_by, name_of, text_of
from fluxlit.pages.sources import Dependency, FromRequest, Need, Plan, Provided, Source

BY_NAME: Final[Mapping[str, type]] = {"st": ModuleType, "client": ApiClient}
"""Parameters that are known by their name, whatever their annotation."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a plan is made on.

    Attributes:
        injectable: Classes of which the app has something to give.
        absent: Those of them of which it has nothing.
        path: Names of the page's path parameters.
        namespace: Names of the place where the page was registered.
        strict: Every parameter must be declared; none is left to its default.
    """

    injectable: tuple[type, ...] = ()
    absent: frozenset[type] = frozenset()
    path: tuple[str, ...] = ()
    namespace: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False


def plan_of(fn: Call, grounds: Grounds, trail: tuple[Call, ...] = ()) -> Plan:
    """Read what a function needs.

    Args:
        fn: A page function or a dependency.
        grounds: What there is.
        trail: The functions that led here.

    Raises:
        PageSignatureError: A parameter cannot be given anything; the message names it.
    """
    if fn in trail:
        circle = " → ".join(name_of(call) for call in (*trail[trail.index(fn) :], fn))
        msg = f"dependency cycle: {circle}"
        raise PageSignatureError(msg, remedy="let one of them do without the other")
    planner = _Planner(fn, grounds, (*trail, fn))
    declared = declared_by(fn, grounds.namespace)
    needs = [(it.name, planner.source(it)) for it in declared]
    return Plan(
        tuple(Need(name, source) for name, source in needs if source is not None),
        tuple((it.name, text_of(it.hint)) for it in declared),
        tuple(planner.loose),
    )


_ADVICE: Final = (
    "annotate it with what the app has, or with Depends(...), Query(), Header() or Cookie()"
)


def dependency_on(
    call: Call, grounds: Grounds, trail: tuple[Call, ...] = (), *, use_cache: bool = True
) -> Dependency:
    """Plan a dependency, whose own signature is read as FastAPI reads it, strict or not."""
    grounds = replace(grounds, strict=False)
    return Dependency(
        call, plan_of(call, grounds, trail), lambda other: plan_of(other, grounds), use_cache
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """Decides on the parameters of one function."""

    fn: Call
    grounds: Grounds
    trail: tuple[Call, ...]
    loose: list[str] = field(default_factory=list)

    def source(self, it: Declared) -> Source | None:
        """Choose where a parameter's value comes from; None leaves it alone."""
        if it.variadic:
            self._loose("must not use *args or **kwargs", "name each parameter")
            return None
        if it.positional:
            raise self._refusal(f"{it.name!r} cannot be given by its name", "leave out the /")
        if not it.unresolved and (marked := self._marked(it)) is not None:
            return marked
        if it.name in BY_NAME:
            kind = BY_NAME[it.name]
            return Provided(kind, kind, optional=it.has_default)
        if it.unresolved:
            msg = f"Could not resolve annotations: {it.name!r} has {it.unresolved}"
            raise self._refusal(msg, "import the name where the function is defined")
        return self._by_name_or_type(it)

    def _marked(self, it: Declared) -> Source | None:
        for marker in (*reversed(it.metadata), it.default):
            depends = dependency_marker(marker)
            if depends is not None:
                return self._dependency(it, depends)
            said = input_marker(marker)
            if said is not None:
                return self._input(it, said, marker)
        return None

    def _by_name_or_type(self, it: Declared) -> Source | None:
        if it.name in self.grounds.path:
            return self._input(it, InputMarker(Place.PATH))
        kind = class_of(it.hint)
        if kind in CONNECTIONS:
            return FromConnection()
        bases = [base for base in self.grounds.injectable if kind and _is_given_for(kind, base)]
        if kind is not None and bases:
            return self._provided(it, kind, bases[0])
        shown = "" if it.hint is inspect.Parameter.empty else f": {_shown(it.hint)}"
        msg = f"Unknown page parameter '{it.name}{shown}': nothing is known to give to it"
        if is_readable(it.hint):
            self._loose(msg, f"strict_page_signatures: write Annotated[{_shown(it.hint)}, Query()]")
            return self._input(it, InputMarker(Place.QUERY))
        if not it.has_default:
            raise self._refusal(msg, _ADVICE)
        self._loose(msg, _ADVICE)
        return None

    def _loose(self, problem: str, remedy: str) -> None:
        """Note what strict signatures refuse; refuse it if they are wanted."""
        refusal = self._refusal(problem, remedy)
        if self.grounds.strict:
            raise refusal
        self.loose.append(str(refusal))

    def _provided(self, it: Declared, kind: type, base: type) -> Provided:
        found = Provided(kind, base, it.has_default, allows_none(it.hint))
        if base in self.grounds.absent and not (found.optional or found.nullable):
            msg = f"the parameter {it.name!r} needs a {kind.__name__}, and the app has none"
            raise self._refusal(msg, f"give FluxLit one, or write {kind.__name__} | None")
        return found

    def _dependency(self, it: Declared, depends: Depends) -> Dependency:
        call: Any = depends.dependency or class_of(it.hint)
        if call is None or (depends.dependency is None and is_readable(it.hint)):
            msg = f"the parameter {it.name!r} has Depends() without a callable"
            raise self._refusal(msg, "write Depends(function), or annotate it with a class")
        if not callable(call):
            msg = f"the parameter {it.name!r} depends on {call!r}, which cannot be called"
            raise self._refusal(msg, "write Depends(function), without calling the function")
        return dependency_on(call, self.grounds, self.trail, use_cache=depends.use_cache)

    def _input(self, it: Declared, said: InputMarker, marker: object = None) -> FromRequest:
        default, factory = said.default, said.factory
        if it.has_default and it.default is not marker:
            default, factory = it.default, None
        kind = class_of(it.hint)
        if kind is not None and issubclass(kind, BaseModel):
            if said.place is not Place.QUERY:
                msg = f"the parameter {it.name!r} is a model, which only a query string can hold"
                raise self._refusal(msg, "write Annotated[Model, Query()]")
            return FromRequest(QueryModel(kind, default, factory))
        name = said.name or (it.name.replace("_", "-") if said.dashes else it.name)
        rest = [note for note in it.metadata if note is not marker]
        if isinstance(marker, FieldInfo):
            rest.extend(marker.metadata)
        hint = Any if it.hint is inspect.Parameter.empty else it.hint
        try:
            adapter = adapter_of(hint, rest)
        except TypeError as exc:
            msg = f"the parameter {it.name!r} cannot be read from a {said.place}: {exc}"
            raise self._refusal(msg, "annotate it with a type that pydantic knows") from exc
        many, optional = takes_many(hint), allows_none(hint)
        return FromRequest(Input(said.place, name, adapter, many, default, factory, optional))

    def _refusal(self, problem: str, remedy: str) -> PageSignatureError:
        return PageSignatureError(f"{name_of(self.fn)}: {problem}", remedy=remedy)


def _is_given_for(kind: type, base: type) -> bool:
    # A protocol would take in every class that happens to have its methods.
    return kind is base or (not is_protocol(base) and issubclass(kind, base))


def _shown(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and hint is not NoneType else str(hint)

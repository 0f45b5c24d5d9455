"""From a page's signature to a plan of what to give it: made once, at registration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType, UnionType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from fluxlit.client import ApiClient
from fluxlit.exceptions import PageError

BY_NAME: Final[Mapping[str, type]] = {"st": ModuleType, "client": ApiClient}
"""Parameters that are known by their name, whatever their annotation."""


@dataclass(frozen=True, slots=True)
class Need:
    """One parameter of a page function.

    Attributes:
        name: The parameter.
        kind: The class whose instance it gets.
        optional: It has a default, so it can be left out.
    """

    name: str
    kind: type
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a page function needs.

    Attributes:
        needs: Its parameters that are given something, in order.
    """

    needs: tuple[Need, ...] = ()

    def arguments(self, provided: Mapping[type, object]) -> dict[str, object]:
        """Choose the arguments of one run.

        Args:
            provided: What there is to give, by type.

        Raises:
            PageError: Nothing provided fits; the message names the parameter.
        """
        chosen = {}
        for need in self.needs:
            value = _choose(need.kind, provided)
            if value is not None:
                chosen[need.name] = value
            elif not need.optional:
                msg = f"there is no {need.kind.__name__} to give to the parameter {need.name!r}"
                known = ", ".join(kind.__name__ for kind in provided)
                raise PageError(msg, remedy=f"known are {known}")
        return chosen


def plan_of(fn: Callable[..., object]) -> Plan:
    """Read what a page function needs.

    Raises:
        PageError: A parameter has neither a known name nor a class as annotation nor a default.
    """
    hints = _hints(fn)
    needs: list[Need] = []
    for parameter in inspect.signature(fn).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kind = BY_NAME.get(parameter.name) or _class_of(hints.get(parameter.name))
        optional = parameter.default is not parameter.empty
        if kind is not None:
            needs.append(Need(parameter.name, kind, optional))
        elif not optional:
            name = getattr(fn, "__qualname__", repr(fn))
            msg = f"page {name}: nothing is known to give to the parameter {parameter.name!r}"
            remedy = "name it st or client, annotate it with an injectable class, or default it"
            raise PageError(msg, remedy=remedy)
    return Plan(tuple(needs))


def _hints(fn: Callable[..., object]) -> Mapping[str, Any]:
    """Resolve annotations; those that name something local to a function stay unknown."""
    try:
        return get_type_hints(fn, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return getattr(fn, "__annotations__", {})


def _class_of(hint: object) -> type | None:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    origin = get_origin(hint) or hint
    return origin if isinstance(origin, type) and origin is not UnionType else None


def _choose(kind: type, provided: Mapping[type, object]) -> object | None:
    if kind in provided:
        return provided[kind]
    return next((value for value in provided.values() if isinstance(value, kind)), None)

"""From a page's signature to a plan of what to give it: made once, at registration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from fluxlit.client import ApiClient
from fluxlit.exceptions import PageError

BY_NAME: Final[Mapping[str, type]] = {"st": ModuleType, "client": ApiClient}
"""Parameters that are known by their name, whatever their annotation."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a page function needs.

    Attributes:
        needs: Parameter name and the type whose instance it gets.
    """

    needs: tuple[tuple[str, type], ...] = ()

    def arguments(self, provided: Mapping[type, object]) -> dict[str, object]:
        """Choose the arguments of one run.

        Args:
            provided: What there is to give, by type.

        Raises:
            PageError: Nothing provided fits; the message names the parameter.
        """
        return {name: _choose(name, kind, provided) for name, kind in self.needs}


def plan_of(fn: Callable[..., object]) -> Plan:
    """Read what a page function needs.

    Raises:
        PageError: A parameter has neither a known name nor a class as annotation nor a default.
    """
    hints = _hints(fn)
    needs: list[tuple[str, type]] = []
    for parameter in inspect.signature(fn).parameters.values():
        kind = BY_NAME.get(parameter.name) or _class_of(hints.get(parameter.name))
        if kind is not None and (parameter.name in BY_NAME or _injectable(parameter)):
            needs.append((parameter.name, kind))
        elif parameter.default is parameter.empty and _injectable(parameter):
            name = getattr(fn, "__qualname__", repr(fn))
            msg = f"page {name}: nothing is known to give to the parameter {parameter.name!r}"
            remedy = "name it st or client, annotate it with an injectable class, or default it"
            raise PageError(msg, remedy=remedy)
    return Plan(tuple(needs))


def _injectable(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


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
    return origin if isinstance(origin, type) else None


def _choose(name: str, kind: type, provided: Mapping[type, object]) -> object:
    if kind in provided:
        return provided[kind]
    for value in provided.values():
        if isinstance(value, kind):
            return value
    msg = f"there is no {kind.__name__} to give to the parameter {name!r}"
    raise PageError(msg, remedy=f"known are {', '.join(t.__name__ for t in provided)}")

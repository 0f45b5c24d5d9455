"""What a function's signature says, parameter by parameter, with annotations resolved one by one.

One by one, because ``st`` and ``client`` are known by their names: an annotation of theirs that is
imported for type checkers only is no reason to refuse a page.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin, get_type_hints

Call = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter.

    Attributes:
        name: Its name.
        hint: Its type, without ``Annotated``; ``inspect.Parameter.empty`` when none is given.
        metadata: What ``Annotated`` holds besides the type.
        default: Its default, or ``inspect.Parameter.empty``.
        variadic: It is ``*args`` or ``**kwargs``.
        positional: It cannot be given by its name.
        unresolved: Why its annotation cannot be resolved; empty when it can.
    """

    name: str
    hint: Any
    metadata: tuple[Any, ...]
    default: Any
    variadic: bool
    positional: bool
    unresolved: str

    @property
    def has_default(self) -> bool:
        """Whether it may be left out."""
        return self.default is not inspect.Parameter.empty


def declared_by(fn: Call, namespace: Mapping[str, Any]) -> list[Declared]:
    """Read the parameters of a function, a class or an object that can be called.

    Args:
        fn: What is called.
        namespace: Names of the place where it was registered, for annotations that its own
            module does not explain.
    """
    return [_declared(fn, parameter, namespace) for parameter in _signature(fn).parameters.values()]


def class_of(hint: object) -> type | None:
    """Return the class that a type names, alone or in ``X | None``; None when there is no one.

    >>> class_of(int | None), class_of(list[int]), class_of(int | str)
    (<class 'int'>, <class 'list'>, None)
    """
    members = [member for member in members_of(hint) if member is not NoneType]
    origin = (get_origin(members[0]) or members[0]) if len(members) == 1 else None
    return origin if isinstance(origin, type) else None


def members_of(hint: object) -> tuple[object, ...]:
    """Return the members of a union; of any other type, the type.

    >>> members_of(int | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def allows_none(hint: object) -> bool:
    """Tell whether None is a value of the type."""
    return hint is Any or any(member in (None, NoneType, Any) for member in members_of(hint))


def text_of(hint: object) -> str:
    """Return the text of a type, the same in each process: without what ``Annotated`` holds.

    >>> text_of(int), text_of(list[Annotated[int, "of metres"]])
    ("<class 'int'>", 'list[int]')
    """
    if isinstance(hint, str | ForwardRef):  # of ``st`` or ``client``, known to type checkers only
        return hint if isinstance(hint, str) else hint.__forward_arg__
    try:
        return str(_resolve(hint, {}, {}, extras=False))
    except NameError:
        return str(hint)


def name_of(fn: object) -> str:
    """Return how a function is called in messages."""
    return str(getattr(fn, "__qualname__", None) or type(fn).__qualname__).replace("<locals>.", "")


def _declared(fn: Call, parameter: inspect.Parameter, namespace: Mapping[str, Any]) -> Declared:
    hint, unresolved = parameter.annotation, ""
    try:
        hint = _evaluated(hint, _globals_of(fn), namespace)
    except (NameError, TypeError, AttributeError, SyntaxError) as exc:
        unresolved = f"{hint!r}: {exc}"
    metadata: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        metadata = (*rest,)
    return Declared(
        name=parameter.name,
        hint=hint,
        metadata=metadata,
        default=parameter.default,
        variadic=parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD),
        positional=parameter.kind is parameter.POSITIONAL_ONLY,
        unresolved=unresolved,
    )


def _signature(fn: Call) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # else one name that is not there hides all others
        from annotationlib import Format  # noqa: PLC0415 - new in Python 3.14

        return inspect.signature(fn, annotation_format=Format.FORWARDREF)
    return inspect.signature(fn)


def _evaluated(hint: Any, names: dict[str, Any], namespace: Mapping[str, Any]) -> Any:
    if hint is inspect.Parameter.empty:
        return hint
    if isinstance(hint, str | ForwardRef):
        try:
            return _resolve(hint, names, {})
        except NameError:
            return _resolve(hint, names, dict(namespace))
    return hint


def _resolve(
    hint: Any, names: dict[str, Any], namespace: dict[str, Any], *, extras: bool = True
) -> Any:
    def carrier() -> None: ...

    carrier.__annotations__ = {"it": hint}
    return get_type_hints(carrier, names, namespace, include_extras=extras)["it"]


def _globals_of(fn: Any) -> dict[str, Any]:
    while isinstance(fn, functools.partial):
        fn = fn.func
    if isinstance(fn, type):
        return dict(vars(sys.modules[fn.__module__]))
    code = inspect.unwrap(fn if hasattr(fn, "__globals__") else type(fn).__call__)
    return dict(getattr(code, "__globals__", {}))

"""Values that a page takes from the request: read, checked, told in words when they are wrong."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Final, Literal, Protocol, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from fluxlit._aliases import aliases_of, lists_with
from fluxlit.exceptions import PageInputError
from fluxlit.pages.markers import MISSING, Place
from fluxlit.pages.signature import members_of


class Reader(Protocol):
    """What the values are read from."""

    def values(self, place: Place, name: str) -> list[str]:
        """Return every value of that name; none when it is missing."""

    def query(self) -> Mapping[str, Sequence[str]]:
        """Return the query string's parameters."""


@dataclass(frozen=True, slots=True)
class Input:
    """One value of the request.

    Attributes:
        place: Where it stands.
        name: Its name there.
        adapter: Checks and converts it.
        many: All values of that name make one list.
        default: Its value when it is missing; each run gets a copy of its own.
        factory: Makes that value instead.
        optional: None will do when it is missing and has no default.
    """

    place: Place
    name: str
    adapter: TypeAdapter[Any] = field(compare=False, repr=False)
    many: bool = False
    default: Any = MISSING
    factory: Callable[[], Any] | None = None
    optional: bool = False

    def read(self, reader: Reader) -> object:
        """Return the checked value.

        Raises:
            PageInputError: It is missing or malformed; the message names it and says what is
                expected, and never repeats a header or a cookie.
        """
        given = reader.values(self.place, self.name)
        if not given:
            return self._absent()
        # As FastAPI does: the last of an address's values, the first of a header's.
        one = given[-1] if self.place is Place.QUERY else given[0]
        try:
            return self.adapter.validate_python(list(given) if self.many else one)
        except ValidationError as exc:
            raise PageInputError(*problems_of(self.place, self.name, exc)) from None

    def _absent(self) -> object:
        if self.factory is not None:
            return self.factory()
        if self.default is not MISSING:
            return copy.deepcopy(self.default)
        if self.optional:
            return None
        raise PageInputError(f"the {self.place} {self.name!r} is missing")


@dataclass(frozen=True, slots=True)
class QueryModel:
    """A model whose fields are read from the query string.

    Attributes:
        model: The model.
        default: What to give when the query string has none of its fields; each run gets a copy.
        factory: Makes that value instead.
    """

    model: type[BaseModel]
    default: Any = MISSING
    factory: Callable[[], Any] | None = None

    def read(self, reader: Reader) -> object:
        """Return the model.

        Raises:
            PageInputError: A field is missing or malformed.
        """
        try:
            return self.of_query(reader.query())
        except ValidationError as exc:
            raise PageInputError(*problems_of(Place.QUERY, "", exc)) from None

    def of_query(self, query: Mapping[str, Sequence[str]]) -> object:
        """Return the model that a query string holds.

        Raises:
            pydantic.ValidationError: A field is missing or malformed.
        """
        given = fields_of(self.model, query)
        if not given and self.factory is not None:
            return self.factory()
        if not given and self.default is not MISSING:
            return copy.deepcopy(self.default)
        return self.model.model_validate(given)


def fields_of(model: type[BaseModel], query: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Pick a model's fields from a query string; a field that takes many gets a list."""
    found: dict[str, object] = {}
    known: set[str] = set()
    for name, info in model.model_fields.items():
        said = aliases_of(info)
        known.update(said, [name])
        key = next((key for key in (*said, name) if query.get(key)), None)
        if key is not None:
            values = list(query[key])
            # Under its own name pydantic takes a field that has an alias only if it is told to.
            place = key if key in said else (*said, name)[0]
            found[place] = values if takes_many(info.annotation) else values[-1]
        for key in lists_with(info):
            known.add(key)
            if query.get(key):
                found[key] = list(query[key])
    extra = model.model_config.get("extra")
    if extra in ("allow", "forbid"):
        more = {key: list(values) for key, values in query.items() if key not in known and values}
        found |= {key: values if len(values) > 1 else values[0] for key, values in more.items()}
    return found


READABLE: Final = (
    str, int, float, bool, bytes, Decimal, UUID, Enum, date, time, timedelta,
)  # fmt: skip
"""Classes of which a piece of an address can be a value."""


_COLLECTIONS: Final = frozenset({list, tuple, set, frozenset, deque, Sequence, AbstractSet})


def is_readable(hint: object) -> bool:
    """Tell whether a type is one that an address can hold: a simple value, or a list of them.

    >>> is_readable(int | None), is_readable(list[str]), is_readable(dict[str, int])
    (True, True, False)
    """
    if get_origin(hint) is Literal:
        return True
    if get_origin(hint) is Annotated:
        return is_readable(get_args(hint)[0])
    members = members_of(hint)
    if members != (hint,):
        return all(is_readable(part) for part in members if part is not NoneType)
    if takes_many(hint):
        return all(is_readable(part) for part in get_args(hint) if part is not Ellipsis)
    return isinstance(hint, type) and issubclass(hint, READABLE)


def adapter_of(hint: Any, metadata: Sequence[object]) -> TypeAdapter[Any]:
    """Make what checks and converts values of a type.

    Raises:
        TypeError: pydantic does not know the type.
    """
    try:
        return TypeAdapter(Annotated[(hint, *metadata)] if metadata else hint)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation) as exc:
        raise TypeError(str(exc).splitlines()[0]) from exc


def takes_many(annotation: object) -> bool:
    """Tell whether a type is a collection, so that a name may stand in the address repeatedly.

    >>> takes_many(list[int] | None), takes_many(Sequence[str]), takes_many(str)
    (True, True, False)
    """
    if get_origin(annotation) is Annotated:
        return takes_many(get_args(annotation)[0])
    members = members_of(annotation)
    if members != (annotation,):
        return any(takes_many(member) for member in members)
    return (get_origin(annotation) or annotation) in _COLLECTIONS


def problems_of(place: Place, name: str, exc: ValidationError) -> list[str]:
    """Tell what pydantic says against a value, one sentence each.

    Args:
        place: Where the value stands; what a header or a cookie holds is not repeated.
        name: Its name there; ``""`` when pydantic names the fields of a model.
        exc: What pydantic says.
    """
    problems = []
    for error in exc.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in ((name, *error["loc"]) if name else error["loc"]))
        message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        if error["type"] == "missing":
            problems.append(f"the {place} {where!r} is missing")
            continue
        if not where:  # of the values together, by a validator of the model
            problems.append(message)
            continue
        private = place in (Place.HEADER, Place.COOKIE) or not isinstance(error["input"], str)
        shown = "" if private else f", not {_short(error['input'])!r}"
        message = message[:1].lower() + message[1:]
        problems.append(f"the {place} {where!r} is wrong: {message}{shown}")
    return problems


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"

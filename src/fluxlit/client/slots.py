"""The places of a request that carry a function's parameters, and how values are spelled there.

A query string, a header and a cookie carry text and nothing else. What they cannot carry is refused
here: sent in another form it would reach the route as another value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Self

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from fluxlit._aliases import aliases_of
from fluxlit.exceptions import CallError

_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
"""What arrives as it was sent: RFC 9110, 5.5, without bytes whose meaning nobody agrees on."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter that a request carries, or one field of a model that is spread over it.

    Attributes:
        name: The function's parameter, or the model's field.
        alias: Its name in the request.
        info: What its declaration says.
        fields: Of a model whose fields are parameters of their own: these.
    """

    name: str
    alias: str
    info: FieldInfo
    fields: tuple[Slot, ...] | None = None

    @classmethod
    def read(cls, place: str, field: Any) -> Self:
        """Read FastAPI's analysis of one parameter.

        Args:
            place: Where it is carried: path, query, header, cookie or body.
            field: FastAPI's field.
        """
        info = field.field_info
        kind = info.annotation
        if place == "body" or not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return cls(field.name, field.alias, info)
        hyphens = place == "header" and getattr(info, "convert_underscores", True)
        parts = tuple(_part(it, kind.model_fields[it], hyphens) for it in kind.model_fields)
        return cls(field.name, field.alias, info, parts)

    @property
    def is_required(self) -> bool:
        """Whether the function has no default for it."""
        return self.info.is_required()

    def texts(self, value: object) -> Iterator[tuple[Slot, str | list[str]]]:
        """Return what of a value is sent in an address, a header or a cookie, and as what.

        Raises:
            CallError: It is nothing that can be sent, and the route would take it for its default.
        """
        if self.fields is None:
            spelled = in_address(value)
            if spelled is not None and spelled != []:
                yield self, spelled
            elif self.is_required or not _is_nothing(default := _default(self.info)):
                instead = "refuse it as missing" if self.is_required else f"take {default!r}"
                msg = f"{self.name}={value!r} cannot be sent: the route would {instead}"
                raise CallError(msg, remedy="give the route a default that means the same")
            return
        values = _by_name(value)
        for part in self.fields:
            if part.name in values:
                yield from part.texts(values.pop(part.name))
        for name, more in values.items():  # of a model that allows what it does not name
            yield from Slot(name, name, FieldInfo(default=None)).texts(more)


def _part(name: str, info: FieldInfo, hyphens: bool) -> Slot:
    """Read one field of a model; its name is that of its validation, not of its serialization."""
    alias = next(iter(aliases_of(info)), None)
    hyphens = getattr(info, "convert_underscores", hyphens)
    return Slot(name, alias or (name.replace("_", "-") if hyphens else name), info)


def _by_name(value: object) -> dict[str, Any]:
    """Return a model's values by its fields; a mapping in its place may have their aliases."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=False)
    return dict(to_jsonable_python(value))


def _default(info: FieldInfo) -> Any:
    """Return what stands for a missing value, as far as it does not depend on others."""
    if info.default_factory_takes_validated_data:
        return None
    return info.get_default(call_default_factory=True)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, list | tuple | set | frozenset) and not value)


def jsonable(value: object) -> Any:
    """Return a value as it stands in a JSON body."""
    return to_jsonable_python(value, by_alias=True)


def in_address(value: Any) -> Any:
    """Spell a value as it stands in a path or query string."""
    if isinstance(value, list | tuple | set | frozenset):
        return [in_address(item) for item in value]
    value = to_jsonable_python(value)
    return str(value).lower() if isinstance(value, bool) else value


def header_lines(slot: Slot, spelled: str | list[str]) -> Iterable[tuple[str, str]]:
    """Return a header's lines, one for each value.

    Raises:
        CallError: A value cannot stand there. The message does not tell it: it may be a secret.
    """
    for text in map(str, spelled if isinstance(spelled, list) else [spelled]):
        if not _HEADER_VALUE.fullmatch(text):
            msg = f"the value of {slot.name} cannot stand in a header"
            raise CallError(msg, remedy="use visible ASCII, or send it in the query or the body")
        yield slot.alias, text


def cookie_pair(slot: Slot, spelled: str | list[str]) -> str:
    """Return ``name=value``, quoted as Python's ``http.cookies`` and so FastAPI reads it.

    Raises:
        CallError: The value cannot stand there. The message does not tell it: it may be a secret.
    """
    text = SimpleCookie().value_encode(str(spelled))[1]
    if not text.isascii() or not text.isprintable():
        msg = f"the value of {slot.name} cannot stand in a cookie"
        raise CallError(msg, remedy="use Latin letters, or send it in the query or the body")
    return f"{slot.alias}={text}"

"""Calls of the API by its own functions: which route a function serves, and how to ask it.

``client.call(get_user, user_id=3)`` sends what FastAPI would have to receive for ``get_user`` to be
called with ``user_id=3``. What each parameter is (path, query, header, cookie, body, dependency) is
read from the route's own analysis of the signature, so that both sides agree.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints
from urllib.parse import quote

from fastapi import params, routing
from pydantic import BaseModel, PydanticUserError, TypeAdapter
from pydantic_core import to_jsonable_python
from starlette.responses import Response
from starlette.routing import BaseRoute

from fluxlit._aliases import aliases_of
from fluxlit.client.options import SendOptions
from fluxlit.exceptions import CallError

Routes = Callable[[], Sequence[BaseRoute]]

injected: Any = object()
"""Default for a route's ``Annotated`` dependencies, so that a type checker lets them be left out.

Example:
    >>> @app.api.get("/users/{user_id}")
    ... def get_user(user_id: int, db: Annotated[Database, Depends(connect)] = injected) -> User:
    ...     return db.user(user_id)
    >>> client.call(get_user, user_id=3)
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter that a request carries.

    Attributes:
        name: The function's parameter.
        alias: Its name in the request.
        model: It is a model whose fields are parameters of their own.
    """

    name: str
    alias: str
    model: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready to be sent."""

    method: str
    path: str
    options: SendOptions


@dataclass(frozen=True, slots=True)
class Operation:
    """One function of the API and the route it serves.

    Attributes:
        endpoint: The function.
        method: The HTTP method.
        path: The path under the API, with parameters in braces.
        slots: What each place of a request carries: path, query, header, cookie, body.
        embedded: The body is an object of several parameters, not one value.
        answer: Checks and converts the answer; None when there is none to speak of.
    """

    endpoint: Callable[..., Any]
    method: str
    path: str
    slots: Mapping[str, tuple[Slot, ...]]
    embedded: bool
    answer: TypeAdapter[Any] | None

    def prepare(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Prepared:
        """Turn arguments into a request.

        Raises:
            TypeError: They do not fit the function's signature; a parameter is missing.
        """
        said = _bound(self.endpoint, args, kwargs)
        known = {slot.name for slots in self.slots.values() for slot in slots}
        unknown = [name for name in said if name not in known and said[name] is not injected]
        if unknown:
            msg = f"{self._name}() gets {unknown[0]!r} from a dependency, not from its caller"
            raise TypeError(msg)
        options = SendOptions()
        if query := self._values("query", said):
            options["params"] = {name: _in_address(value) for name, value in query.items()}
        headers = {name: str(_in_address(it)) for name, it in self._values("header", said).items()}
        if cookies := self._values("cookie", said):
            headers["cookie"] = "; ".join(f"{it}={_in_address(cookies[it])}" for it in cookies)
        if headers:
            options["headers"] = headers
        if body := self._values("body", said):
            options["json"] = body if self.embedded else next(iter(body.values()))
        # A route's path is under the API by its nature, even if it begins with the API's prefix.
        return Prepared(self.method, f"/.{self._path(said)}", options)

    def _path(self, said: Mapping[str, Any]) -> str:
        path = self.path
        for slot in self.slots["path"]:
            if slot.name not in said:
                raise self._missing(slot)
            value = quote(str(_in_address(said[slot.name])), safe="")
            if value in {"", ".", ".."}:
                msg = f"{self._name}(): {slot.name}={said[slot.name]!r} cannot stand in a path"
                raise CallError(msg)
            path = path.replace(f"{{{slot.alias}}}", value)
        return path

    def _values(self, place: str, said: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for slot in self.slots[place]:
            if slot.name not in said:
                if _is_required(self.endpoint, slot.name):
                    raise self._missing(slot)
                continue
            value = said[slot.name]
            if slot.model:
                found |= {key: it for key, it in _flattened(value).items() if it is not None}
            elif value is not None or place == "body":
                found[slot.alias] = _jsonable(value)
        return found

    def _missing(self, slot: Slot) -> TypeError:
        return TypeError(f"{self._name}() is missing the argument {slot.name!r}")

    @property
    def _name(self) -> str:
        return getattr(self.endpoint, "__name__", repr(self.endpoint))


class Operations:
    """Finds the route that a function serves.

    Args:
        routes: Returns the API's routes.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._found: dict[Callable[..., Any], Operation] = {}

    def of(self, endpoint: Callable[..., Any]) -> Operation:
        """Return the operation of a function; it is read once.

        Raises:
            CallError: The function serves no route, or one that cannot be called like this.
        """
        found = self._found.get(endpoint)
        if found is None:
            found = self._found[endpoint] = _operation(endpoint, self._routes())
        return found


def _operation(endpoint: Callable[..., Any], routes: Sequence[BaseRoute]) -> Operation:
    name = getattr(endpoint, "__qualname__", repr(endpoint))
    for route in _flat(routes):
        if getattr(route, "endpoint", None) is endpoint and getattr(route, "dependant", None):
            return _read(endpoint, route)
    msg = f"{name} serves no route of the API"
    raise CallError(msg, remedy="give the function under @app.api.get(...), not what it returns")


def _read(endpoint: Callable[..., Any], route: Any) -> Operation:
    dependant = route.dependant
    places = ("path", "query", "header", "cookie", "body")
    fields = {place: getattr(dependant, f"{place}_params") for place in places}
    if any(isinstance(field.field_info, params.Form) for field in fields["body"]):
        msg = f"{route.path} takes a form or a file, which call() does not send"
        raise CallError(msg, remedy="use client.post(path, data=..., files=...)")
    slots = {
        place: tuple(Slot(it.name, it.alias, place != "body" and _is_model(it)) for it in found)
        for place, found in fields.items()
    }
    body = fields["body"]
    embedded = len(body) > 1 or any(getattr(it.field_info, "embed", None) for it in body)
    answer = _answer(endpoint, route)
    return Operation(endpoint, _method(route), route.path_format, slots, embedded, answer)


def _method(route: Any) -> str:
    methods: list[str] = sorted(set(route.methods) - {"HEAD"} or {"HEAD"})
    if len(methods) > 1:
        msg = f"{route.path} answers {', '.join(methods)}: call() cannot choose"
        raise CallError(msg, remedy=f"use client.request({methods[-1]!r}, path)")
    return methods[0]


def _answer(endpoint: Callable[..., Any], route: Any) -> TypeAdapter[Any] | None:
    name = getattr(endpoint, "__qualname__", repr(endpoint))
    try:
        hints = get_type_hints(endpoint, include_extras=True)
    except NameError as exc:
        msg = f"{name} has an annotation that cannot be resolved: {exc}"
        raise CallError(msg, remedy="import the name where the function is defined") from exc
    hint = hints.get("return", route.response_model or Any)
    if isinstance(hint, type) and issubclass(hint, Response):
        msg = f"{route.path} makes its own response, so there is no type to return"
        raise CallError(msg, remedy="use client.get(path) and read the response")
    if hint is None or hint is type(None):
        return None
    try:
        return TypeAdapter(hint)
    except (NameError, PydanticUserError) as exc:
        msg = f"{name} returns what pydantic does not know: {hint}"
        raise CallError(msg, remedy="use client.get(path) and read the response") from exc


def _flat(routes: Sequence[BaseRoute]) -> Iterable[Any]:
    """Return the routes with those of included routers, which newer FastAPI keeps in a tree."""
    contexts = getattr(routing, "iter_route_contexts", None)
    return routes if contexts is None else contexts(routes)


def _bound(
    endpoint: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    return dict(inspect.signature(endpoint).bind_partial(*args, **kwargs).arguments)


def _is_required(endpoint: Callable[..., Any], name: str) -> bool:
    default = inspect.signature(endpoint).parameters[name].default
    if isinstance(default, params.Param | params.Body):
        return default.is_required()
    return default is inspect.Parameter.empty


def _is_model(field: Any) -> bool:
    kind = field.field_info.annotation
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _jsonable(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=False)
    return to_jsonable_python(value, by_alias=True)


def _flattened(model: object) -> dict[str, Any]:
    """Return a model's values under the names by which the route finds them.

    Those are the names of its validation, and not those by which it would be written out.
    """
    if not isinstance(model, BaseModel):
        return dict(_jsonable(model))
    values = model.model_dump(mode="json", by_alias=False)
    named = {it: (*aliases_of(info), it)[0] for it, info in type(model).model_fields.items()}
    return {named.get(name, name): value for name, value in values.items()}


def _in_address(value: Any) -> Any:
    """Spell a value as it stands in a path or query string."""
    if isinstance(value, list | tuple | set | frozenset):
        return [_in_address(item) for item in value]
    value = to_jsonable_python(value)
    return str(value).lower() if isinstance(value, bool) else value

"""Calls of the API by its own functions: which route a function serves, and how to ask it.

``client.call(get_user, user_id=3)`` sends what FastAPI would have to receive for ``get_user`` to be
called with ``user_id=3``. What each parameter is (path, query, header, cookie, body, dependency) is
read from the route's own analysis of the signature, so that both sides agree.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints
from urllib.parse import quote

import httpx2
from fastapi import params, routing
from pydantic import PydanticUserError, TypeAdapter
from starlette.responses import Response
from starlette.routing import BaseRoute

from fluxlit.client.options import SendOptions
from fluxlit.client.slots import Slot, cookie_pair, header_lines, in_address
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
            CallError: A value cannot be sent where the route looks for it.
        """
        said = _bound(self.endpoint, args, kwargs)
        known = {slot.name for slots in self.slots.values() for slot in slots}
        unknown = [name for name in said if name not in known and said[name] is not injected]
        if unknown:
            msg = f"{self._name}() gets {unknown[0]!r} from a dependency, not from its caller"
            raise TypeError(msg)
        options = SendOptions()
        if query := {slot.alias: spelled for slot, spelled in self._texts("query", said)}:
            options["params"] = query
        headers = [it for sent in self._texts("header", said) for it in header_lines(*sent)]
        if cookies := [cookie_pair(*sent) for sent in self._texts("cookie", said)]:
            headers.append(("cookie", "; ".join(cookies)))
        if headers:
            options["headers"] = httpx2.Headers(headers)
        if body := {slot.alias: value for slot, value in self._given("body", said)}:
            options["json"] = body if self.embedded else next(iter(body.values()))
        # A route's path is under the API by its nature, even if it begins with the API's prefix.
        return Prepared(self.method, f"/.{self._path(said)}", options)

    def _path(self, said: Mapping[str, Any]) -> str:
        path = self.path
        for slot, given in self._given("path", said):
            value = quote(str(in_address(given)), safe="")
            if value in {"", ".", ".."}:
                msg = f"{self._name}(): {slot.name}={given!r} cannot stand in a path"
                raise CallError(msg)
            path = path.replace(f"{{{slot.alias}}}", value)
        return path

    def _texts(self, place: str, said: Mapping[str, Any]) -> Iterator[tuple[Slot, str | list[str]]]:
        """Return what is sent in an address, a header or a cookie."""
        for slot, value in self._given(place, said):
            yield from slot.texts(value)

    def _given(self, place: str, said: Mapping[str, Any]) -> Iterator[tuple[Slot, Any]]:
        """Return the values of one place; what has a default may be missing."""
        for slot in self.slots[place]:
            if slot.name in said:
                yield slot, said[slot.name]
            elif slot.is_required:
                msg = f"{self._name}() is missing the argument {slot.name!r}"
                raise TypeError(msg)

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
    slots = {place: tuple(Slot.read(place, it) for it in fields[place]) for place in places}
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

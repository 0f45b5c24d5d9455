"""What stands in a page's signature to say where a parameter's value comes from.

They are plain values. Put them into the annotation, as in FastAPI:
``user: Annotated[User, Depends(current_user)]``. FastAPI's own markers are understood too, so one
dependency serves a route and a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fastapi import params
from pydantic_core import PydanticUndefined

MISSING: Final = PydanticUndefined
"""No default: pydantic's and FastAPI's own word for it."""


class Place(StrEnum):
    """Where a value of a request stands."""

    QUERY = "query parameter"
    PATH = "path parameter"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Depends:
    """A parameter whose value another function provides.

    Args:
        dependency: The function, plain, ``async`` or a generator that yields the value once and
            cleans up behind; its own parameters are provided in the same way. Without one, the
            annotated class itself.
        use_cache: Call it once a run however many ask for it; False calls it for each.

    Example:
        >>> def current_user(client: ApiClient) -> User:
        ...     return client.get("/me", model=User)
        >>> @app.page("/profile")
        ... def profile(st: Any, user: Annotated[User, Depends(current_user)]) -> None:
        ...     st.title(user.name)
    """

    dependency: Callable[..., Any] | None = None
    use_cache: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class Header:
    """A parameter that is read from a header of the request that opened the page.

    Args:
        name: The header; case is ignored. By default the parameter's name, with dashes.
        default: Its value when the header is missing.

    Example:
        >>> def page(st: Any, language: Annotated[str | None, Header("accept-language")]) -> None:
        ...     st.write(language)
    """

    name: str = ""
    default: Any = field(default=MISSING, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower())


@dataclass(frozen=True, slots=True)
class Cookie:
    """A parameter that is read from a cookie of the request that opened the page.

    Args:
        name: The cookie; case is ignored. By default the parameter's name.
        default: Its value when the cookie is missing.
    """

    name: str = ""
    default: Any = field(default=MISSING, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parameter that is read from the page's address; a model takes all of its fields there.

    Numbers, strings, dates, enums and lists of them are read from the address without this marker
    too; it gives them another name, and makes a whole model come from the query string.

    Args:
        description: What the parameter means, for readers.
        alias: Its name in the address; by default the parameter's.
        default: Its value when it is missing.

    Example:
        >>> def orders(st: Any, page: Annotated[int, Query(alias="p"), Field(ge=1)] = 1) -> None:
        ...     st.write(f"page {page}")
    """

    description: str = ""
    alias: str = ""
    default: Any = MISSING


@dataclass(frozen=True, slots=True)
class InputMarker:
    """What a marker of ours or of FastAPI's says about a value of the request.

    Attributes:
        place: Where it stands.
        name: Its name there, or ``""`` for the parameter's own.
        default: Its value when it is missing.
        factory: Makes that value instead.
        dashes: A name made from the parameter's has dashes for underscores.
    """

    place: Place
    name: str = ""
    default: Any = MISSING
    factory: Callable[[], Any] | None = None
    dashes: bool = False


def input_marker(marker: object) -> InputMarker | None:
    """Read a marker of ours or of FastAPI's; None when it is none of a request's value."""
    if isinstance(marker, params.Param):
        return _fastapi_marker(marker)
    match marker:
        case Header():
            return InputMarker(Place.HEADER, marker.name, marker.default, dashes=True)
        case Cookie():
            return InputMarker(Place.COOKIE, marker.name, marker.default)
        case Query():
            return InputMarker(Place.QUERY, marker.alias, marker.default)
    return None


def _fastapi_marker(marker: params.Param) -> InputMarker:
    place = {
        params.Header: Place.HEADER,
        params.Cookie: Place.COOKIE,
        params.Path: Place.PATH,
    }.get(type(marker), Place.QUERY)
    dashes = bool(getattr(marker, "convert_underscores", False))
    default = MISSING if marker.default is Ellipsis else marker.default
    alias = marker.validation_alias
    name = alias if isinstance(alias, str) else marker.alias  # FastAPI reads no other kind either
    factory: Any = marker.default_factory
    return InputMarker(place, name or "", default, factory, dashes)


def dependency_marker(marker: object) -> Depends | None:
    """Read a marker of ours or of FastAPI's that names a dependency; None when it does not."""
    if isinstance(marker, Depends):
        return marker
    if isinstance(marker, params.Depends):
        return Depends(marker.dependency, use_cache=marker.use_cache)
    return None

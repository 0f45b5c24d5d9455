"""The API that FluxLit makes where none is given, and the order of any API's routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Host, Route

from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import ConfigurationError
from fluxlit.health import Readiness, add_health_routes, takes
from fluxlit.security import SecurityHeadersMiddleware

_OWNED_CORS: Final = frozenset(
    {"allow_origins", "allow_credentials", "allow_methods", "allow_headers"}
)


def api_of(settings: FluxlitSettings, given: FastAPI | None, kwargs: Mapping[str, Any]) -> FastAPI:
    """Return the API that an app was given, or make one.

    Raises:
        ConfigurationError: One was given, and arguments for making one, too.
    """
    if given is not None and kwargs:
        msg = "fastapi_kwargs are for a FastAPI app that FluxLit makes, and api= was given"
        raise ConfigurationError(msg, remedy="pass them to FastAPI(...) where api is made")
    return given if given is not None else make_api(settings, kwargs)


def make_api(settings: FluxlitSettings, arguments: Mapping[str, Any]) -> FastAPI:
    """Make the API.

    Args:
        settings: Its title, and the origins that may call it from a browser.
        arguments: More arguments for :class:`fastapi.FastAPI`.
    """
    api = FastAPI(**{**arguments, "title": settings.title})
    if settings.cors_allow_origins:
        extra = settings.cors_middleware_kwargs.items()
        api.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_allow_origins,
            allow_credentials=settings.cors_allow_credentials,
            allow_methods=["*"],
            allow_headers=["*"],
            **{key: value for key, value in extra if key not in _OWNED_CORS},
        )
    if settings.enable_security_headers:  # around CORS, whose preflights are answers, too
        api.add_middleware(SecurityHeadersMiddleware)
    return api


def docs_paths(api: FastAPI) -> frozenset[str]:
    """Return under which of FastAPI's usual paths an API documents itself.

    >>> sorted(docs_paths(FastAPI(redoc_url=None)))
    ['/docs', '/openapi.json']
    """
    documented = {api.docs_url, api.redoc_url, api.openapi_url}
    return frozenset({"/docs", "/redoc", "/openapi.json"} & documented)


def arrange_routes(api: FastAPI, readiness: Readiness) -> None:
    """Let the routes that users ask for be tried first: documentation and health come behind them.

    Routes are tried in order, and FastAPI puts four of its own in front. Each one costs a request
    1 to 2 % of what a small answer takes. What a route of the API's own would take as well stays
    in front of it.

    Args:
        api: The API, with all of its routes.
        readiness: Who is asked whether the UI can serve.
    """
    documentation = [route for route in api.router.routes if _is_documentation(route)]
    others = [route for route in api.router.routes if not _is_documentation(route)]
    if not any(_meet(theirs, ours) for ours in documentation for theirs in others):
        api.router.routes[:] = [*others, *documentation]
    add_health_routes(api, readiness)


def _is_documentation(route: BaseRoute) -> bool:
    """Tell whether FastAPI itself has added a route."""
    return isinstance(route, Route) and route.endpoint.__module__ == FastAPI.__module__


def _meet(theirs: BaseRoute, ours: BaseRoute) -> bool:
    """Tell whether there may be a request that both would take."""
    return isinstance(theirs, Host) or takes(theirs, getattr(ours, "path", ""))

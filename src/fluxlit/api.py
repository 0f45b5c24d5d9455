"""The API that FluxLit makes where none is given: an ordinary FastAPI app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import ConfigurationError
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

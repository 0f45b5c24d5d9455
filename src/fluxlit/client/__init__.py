"""The client that pages call the API with.

An :class:`ApiClient` is a light view: base URL, headers, cookies. The connections behind all views
belong to the process and outlive them, so a page that makes a client on every rerun still finds a
warm connection, and closing one client takes nothing from another.
"""

from __future__ import annotations

from fluxlit.client.api_client import ApiClient
from fluxlit.client.calls import injected
from fluxlit.client.errors import (
    ApiConflictError,
    ApiError,
    ApiForbiddenError,
    ApiInvalidError,
    ApiNotFoundError,
    ApiServerError,
    ApiTimeoutError,
    ApiUnauthorizedError,
    ApiUnavailableError,
)
from fluxlit.client.options import RequestOptions, SendOptions

__all__ = [
    "ApiClient",
    "ApiConflictError",
    "ApiError",
    "ApiForbiddenError",
    "ApiInvalidError",
    "ApiNotFoundError",
    "ApiServerError",
    "ApiTimeoutError",
    "ApiUnauthorizedError",
    "ApiUnavailableError",
    "RequestOptions",
    "SendOptions",
    "injected",
]

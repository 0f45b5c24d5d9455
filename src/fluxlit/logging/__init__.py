"""Log words: the request id and its context, and what must never reach a log.

The logger names are an interface: ``fluxlit``, ``fluxlit.gateway``, ``fluxlit.access``,
``fluxlit.api``, ``fluxlit.workers``, ``fluxlit.pages``, ``fluxlit.url_session``,
``fluxlit.runtime``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fluxlit._lazy import lazy_face
from fluxlit.logging.fields import GATEWAY_ACCESS_LOG_FIELDS, JSON_LOG_BASE_FIELDS
from fluxlit.logging.redact import (
    DEFAULT_SENSITIVE_QUERY_KEYS,
    redact_authorization,
    redact_query_string,
    sanitize_headers,
)
from fluxlit.logging.request_id import (
    REQUEST_ID_HEADER,
    get_request_id,
    is_well_formed,
    new_request_id,
    request_id_ctx,
    reset_request_id,
    set_request_id,
)
from fluxlit.logging.setup import configure_logging, loggers_kept

if TYPE_CHECKING:
    from fluxlit.logging.json_format import JsonLogFormatter

__all__ = [
    "DEFAULT_SENSITIVE_QUERY_KEYS",
    "GATEWAY_ACCESS_LOG_FIELDS",
    "JSON_LOG_BASE_FIELDS",
    "REQUEST_ID_HEADER",
    "JsonLogFormatter",
    "configure_logging",
    "get_request_id",
    "is_well_formed",
    "log",
    "loggers_kept",
    "new_request_id",
    "redact_authorization",
    "redact_query_string",
    "request_id_ctx",
    "reset_request_id",
    "sanitize_headers",
    "set_request_id",
]

log: Final = logging.getLogger("fluxlit")
"""The parent of all loggers of this package."""

__getattr__, __dir__ = lazy_face(__name__, {"JsonLogFormatter": "fluxlit.logging.json_format"})

"""Log words: the request id and its context, and what must never reach a log.

The logger names are an interface: ``fluxlit``, ``fluxlit.gateway``, ``fluxlit.access``,
``fluxlit.workers``, ``fluxlit.pages``, ``fluxlit.runtime``.
"""

from __future__ import annotations

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

__all__ = [
    "DEFAULT_SENSITIVE_QUERY_KEYS",
    "REQUEST_ID_HEADER",
    "configure_logging",
    "get_request_id",
    "is_well_formed",
    "loggers_kept",
    "new_request_id",
    "redact_authorization",
    "redact_query_string",
    "request_id_ctx",
    "reset_request_id",
    "sanitize_headers",
    "set_request_id",
]

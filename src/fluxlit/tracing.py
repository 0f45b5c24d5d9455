"""A hook around what the gateway does, for tracing with any library.

========================================  ==================================================
span                                      attributes
========================================  ==================================================
``fluxlit.gateway.request``               ``fluxlit.dispatch`` (``api`` or ``streamlit``),
                                          ``http.method_or_type``, ``url.path``, ``request_id``
``fluxlit.gateway.upstream_http``, in it  ``http.request.method``, ``url.full`` (secrets in the
                                          query redacted), ``fluxlit.request_id``
========================================  ==================================================

Without a hook a request costs one look-up of a context variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from typing import Final

GATEWAY_REQUEST: Final = "fluxlit.gateway.request"
UPSTREAM_HTTP: Final = "fluxlit.gateway.upstream_http"

Attributes = Mapping[str, object]

TraceHook = Callable[[str, Attributes], AbstractContextManager[object]]
"""Given a span's name and attributes, returns what is entered at its start and left at its end."""

_HOOK: ContextVar[TraceHook | None] = ContextVar("fluxlit_trace_hook", default=None)


def set_trace_hook(hook: TraceHook | None) -> Token[TraceHook | None]:
    """Set the hook for this context and those that it starts.

    Set it while the app is imported, and it holds for every request; set it in an ASGI middleware
    around the app, and it holds for that request. What a hook raises ends the request.

    Args:
        hook: The hook; None for none.

    Returns:
        A token for :func:`reset_trace_hook`.

    Example:
        >>> tracer = opentelemetry.trace.get_tracer("desk")
        >>> set_trace_hook(lambda name, attributes: tracer.start_as_current_span(
        ...     name, attributes=dict(attributes)))
    """
    return _HOOK.set(hook)


def reset_trace_hook(token: Token[TraceHook | None]) -> None:
    """Undo :func:`set_trace_hook`."""
    _HOOK.reset(token)


def has_trace_hook() -> bool:
    """Tell whether this context has a hook."""
    return _HOOK.get() is not None


def trace_span(name: str, attributes: Attributes) -> AbstractContextManager[object]:
    """Return the hook's context manager for a span of your own; without a hook, an empty one.

    >>> with trace_span("desk.report", {"report": "week"}) as span:
    ...     print(span)
    None
    """
    hook = _HOOK.get()
    return nullcontext() if hook is None else hook(name, attributes)

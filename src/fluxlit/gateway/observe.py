"""The gateway's metrics: counts each exchange, and serves what was counted."""

from __future__ import annotations

import logging
from functools import cached_property
from time import perf_counter
from typing import Final, Protocol
from weakref import WeakSet

from fluxlit._types import Scope
from fluxlit.config import FluxlitSettings
from fluxlit.gateway.access_log import StampedSend
from fluxlit.gateway.headers import find
from fluxlit.gateway.responses import NOT_COUNTING, send_answer
from fluxlit.metrics import WEBSOCKET, Exposition, Source, Tally

_LOG: Final = logging.getLogger("fluxlit")


class CountingSource(Source, Protocol):
    """The figures of a service, and where this gateway adds to them."""

    @property
    def has_joined(self) -> bool:
        """Whether there is a service to count for."""
        ...  # pragma: no cover

    def tally(self) -> Tally:
        """Return where this gateway counts."""
        ...  # pragma: no cover


def metrics_of(settings: FluxlitSettings, source: CountingSource) -> Metrics | None:
    """Return the metrics that an app's settings ask for; a reason not to have them is logged."""
    if not settings.enable_gateway_prometheus_metrics:
        return None
    if not settings.metrics_path():
        path, prefix = settings.gateway_prometheus_metrics_path, settings.api_prefix()
        _LOG.warning("nothing is counted: the metrics' path %s is under the API's %s", path, prefix)
        return None
    try:
        return Metrics(source)
    except ModuleNotFoundError as exc:
        _LOG.warning("nothing is counted: %s; pip install 'fluxlit[metrics]'", exc)
        return None


class Metrics:
    """The metrics of one gateway.

    Args:
        source: Where the figures are; asked when the first request has come.

    Raises:
        ModuleNotFoundError: prometheus-client is not installed.
    """

    def __init__(self, source: CountingSource) -> None:
        self._source = source
        self._exposition = Exposition(source)
        serving.add(self)

    @cached_property
    def _tally(self) -> Tally:
        return self._source.tally()

    def note(self, scope: Scope, sent: StampedSend, started: float) -> None:
        """Count a finished exchange; of a handed-over WebSocket its worker knows the duration."""
        if sent.dispatch is None or not self._source.has_joined:
            return  # without a lifespan there is no service to count for
        self._tally.count(sent.dispatch, scope.get("method", WEBSOCKET))
        if not sent.handed_over:
            self._tally.observe(sent.dispatch, perf_counter() - started)

    def total(self) -> list[int] | None:
        """Return what the whole service has counted; None where there is no service."""
        return self._source.tallies().total() if self._source.has_joined else None

    async def answer(self, scope: Scope, send: StampedSend) -> None:
        """Answer a scraper."""
        if not self._source.has_joined:
            await send_answer(scope, send, NOT_COUNTING, send.request_id)
            return
        accept = (find(scope["headers"], b"accept") or b"").decode("latin-1")
        content_type, body = self._exposition(accept)
        headers = [
            (b"content-type", content_type.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


serving: WeakSet[Metrics] = WeakSet()
"""The metrics of this process's gateways, for code of an app that asks for figures."""

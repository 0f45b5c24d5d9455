"""The gateway's metrics as an interface: their names, and their figures for an app's own use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypedDict

from fluxlit.gateway.observe import serving
from fluxlit.metrics import NOTHING, durations, requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.core import Metric


class MetricName(TypedDict):
    """One metric, as a scraper sees it."""

    name: str
    type: str
    labels: tuple[str, ...]


GATEWAY_PROMETHEUS_METRICS: Final[tuple[MetricName, ...]] = (
    {
        "name": "fluxlit_gateway_requests_total",
        "type": "counter",
        "labels": ("dispatch", "method_kind"),
    },
    {
        "name": "fluxlit_gateway_request_duration_seconds",
        "type": "histogram",
        "labels": ("dispatch",),
    },
)
"""Names, kinds and labels, which stay from version to version."""


class GatewayMetric:
    """One of them, for a registry of prometheus-client or for reading.

    Args:
        make: Makes its figures from the service's counts.
    """

    def __init__(self, make: Callable[[list[int]], Metric]) -> None:
        self._make = make

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of the whole service; zero where this process serves in none."""
        totals = [total for metrics in list(serving) if (total := metrics.total()) is not None]
        yield self._make(totals[-1] if totals else NOTHING)


def get_gateway_prom_metrics() -> tuple[GatewayMetric, GatewayMetric] | None:
    """Return the counter of requests and the histogram of their durations.

    They tell what ``gateway_prometheus_metrics_path`` tells, for an app that shows figures of its
    own or pushes them somewhere.

    Returns:
        Both, or None where prometheus-client is not installed.

    Example:
        >>> requests, durations = get_gateway_prom_metrics()
        >>> [metric.name for metric in requests.collect()]
        ['fluxlit_gateway_requests']
    """
    if find_spec("prometheus_client") is None:
        return None
    return GatewayMetric(requests), GatewayMetric(durations)

"""What is counted for Prometheus: requests by every gateway worker, and the board of workers.

Each process counts in a row of its own of one table in the run directory, so that a count is an
addition and any worker can tell the totals. A row is never set back: whoever gets it counts on.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from fluxlit._table import Row, Table

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Dispatch = Literal["api", "streamlit"]

DISPATCHES: Final[tuple[Dispatch, ...]] = ("api", "streamlit")
WEBSOCKET: Final = "WEBSOCKET"
OTHER: Final = "OTHER"
METHOD_KINDS: Final = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", WEBSOCKET, OTHER
)  # fmt: skip
"""A client may invent methods; a label may not grow with them."""

BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; what takes longer is in one more."""

_KIND_COLUMN: Final = {kind: column for column, kind in enumerate(METHOD_KINDS)}
_BUCKET_COLUMN: Final = len(METHOD_KINDS)
_SUM_COLUMN: Final = _BUCKET_COLUMN + len(BUCKETS) + 1
_WIDTH: Final = _SUM_COLUMN + 1
_BASE: Final = {dispatch: number * _WIDTH for number, dispatch in enumerate(DISPATCHES)}
_COLUMNS: Final = _WIDTH * len(DISPATCHES)

NOTHING: Final = [0] * _COLUMNS
"""The sum of no rows."""


class Tally:
    """The row in which one process counts.

    Args:
        row: The row; nobody else writes it.
    """

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        self._row = row

    def count(self, dispatch: Dispatch, kind: str) -> None:
        """Count one request, by method or as ``WEBSOCKET``."""
        column = _KIND_COLUMN.get(kind, _KIND_COLUMN[OTHER])
        self._row[_BASE[dispatch] + column] += 1

    def observe(self, dispatch: Dispatch, seconds: float) -> None:
        """Note how long one took; a WebSocket, how long it was open."""
        base = _BASE[dispatch]
        self._row[base + _BUCKET_COLUMN + bisect_left(BUCKETS, seconds)] += 1
        self._row[base + _SUM_COLUMN] += int(seconds * 1e9)


class Tallies:
    """The table of a service.

    Args:
        directory: The run directory.

    Raises:
        OSError: There is none in it.
    """

    def __init__(self, directory: Path) -> None:
        self._table = Table(_path(directory), _COLUMNS)

    @staticmethod
    def create(directory: Path, rows: int) -> None:
        """Make the table of a new service."""
        Table.create(_path(directory), rows=rows, columns=_COLUMNS)

    def tally(self, index: int) -> Tally:
        """Return a row to count in."""
        return Tally(self._table[index])

    def total(self) -> list[int]:
        """Return the sum of all rows, column by column."""
        return [sum(column) for column in zip(*self._table, strict=True)]


class WorkerFigures(Protocol):
    """What is told of one worker; a record of the board says it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def serves_ui(self) -> bool:
        """Whether it is a UI worker."""

    @property
    def has_pages(self) -> bool:
        """Whether the UI is in its process."""

    @property
    def is_up(self) -> bool:
        """Whether it serves and its loop turns."""

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds."""

    @property
    def sockets(self) -> int:
        """Open WebSockets."""

    @property
    def taken(self) -> int:
        """Browsers' sockets taken over so far."""

    @property
    def received(self) -> int:
        """WebSocket messages from browsers so far."""

    @property
    def sent(self) -> int:
        """WebSocket messages to browsers so far."""

    @property
    def bytes_received(self) -> int:
        """Bytes of those received."""

    @property
    def bytes_sent(self) -> int:
        """Bytes of those sent."""


class Source(Protocol):
    """Where the figures of a service are."""

    def tallies(self) -> Tallies:
        """Return the service's counts."""

    def figures(self) -> Sequence[WorkerFigures]:
        """Return what is known of each worker now."""

    def events(self) -> Iterable[tuple[str, str, int]]:
        """Return kind, reason and number of what has happened to workers."""


class _Figure(NamedTuple):
    """One metric with a value for each worker."""

    name: str
    kind: Literal["gauge", "counter"]
    about: str
    read: Callable[[WorkerFigures], float]
    ui_only: bool = True


_FIGURES: Final = (
    _Figure("worker_up", "gauge", "Whether it serves.", attrgetter("is_up"), ui_only=False),
    _Figure(
        "worker_resident_memory_bytes",
        "gauge",
        "Memory that it holds.",
        attrgetter("resident"),
        ui_only=False,
    ),
    _Figure("worker_websockets", "gauge", "Open WebSockets.", attrgetter("sockets")),
    _Figure("worker_taken_sockets", "counter", "Taken over from gateways.", attrgetter("taken")),
    _Figure("worker_received_messages", "counter", "From browsers.", attrgetter("received")),
    _Figure("worker_sent_messages", "counter", "To browsers.", attrgetter("sent")),
    _Figure("worker_received_bytes", "counter", "From browsers.", attrgetter("bytes_received")),
    _Figure("worker_sent_bytes", "counter", "To browsers.", attrgetter("bytes_sent")),
)
"""The names as they follow ``fluxlit_``."""


class Exposition:
    """Writes the figures of a service in Prometheus' text formats.

    Args:
        source: Where they are.

    Raises:
        ModuleNotFoundError: prometheus-client is not installed.
    """

    def __init__(self, source: Source) -> None:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 - an extra

        self._source = source
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def __call__(self, accept: str) -> tuple[str, bytes]:
        """Return content type and body in the format that a scraper accepts."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - an extra

        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Promise nothing about names, so that registering collects nothing."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as prometheus-client asks for them."""
        total = self._source.tallies().total()
        yield requests(total)
        yield durations(total)
        workers = self._source.figures()
        yield from _workers(workers)
        yield _events(self._source.events())
        yield from _apps_own(workers)


def requests(total: list[int]) -> Metric:
    """Make the counter of requests from the sum of all rows."""
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - an extra

    family = CounterMetricFamily(
        "fluxlit_gateway_requests",
        "Requests that the gateway has served.",
        labels=("dispatch", "method_kind"),
    )
    for dispatch, base in _BASE.items():
        for kind, column in _KIND_COLUMN.items():
            if total[base + column]:
                family.add_metric((dispatch, kind), total[base + column])
    return family


def durations(total: list[int]) -> Metric:
    """Make the histogram of their durations from the sum of all rows."""
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - an extra

    family = HistogramMetricFamily(
        "fluxlit_gateway_request_duration_seconds",
        "Seconds from a request's head to the end of its answer.",
        labels=("dispatch",),
    )
    for dispatch, base in _BASE.items():
        counts = accumulate(total[base + _BUCKET_COLUMN : base + _SUM_COLUMN])
        bounds = [*map(str, BUCKETS), "+Inf"]
        buckets = list(zip(bounds, counts, strict=True))
        family.add_metric((dispatch,), buckets, total[base + _SUM_COLUMN] / 1e9)
    return family


def _workers(workers: Sequence[WorkerFigures]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

    families = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
    for figure in _FIGURES:
        family = families[figure.kind](f"fluxlit_{figure.name}", figure.about, labels=("worker",))
        for worker in workers:
            if worker.has_pages or not figure.ui_only:
                family.add_metric((worker.name,), float(figure.read(worker)))
        yield family


def _events(events: Iterable[tuple[str, str, int]]) -> Metric:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - an extra

    family = CounterMetricFamily(
        "fluxlit_worker_events",
        "Workers that died, did not start or were replaced, by reason.",
        labels=("kind", "reason"),
    )
    for kind, reason, number in events:
        family.add_metric((kind, reason), number)
    return family


def _apps_own(workers: Sequence[WorkerFigures]) -> Iterator[Metric]:
    """Yield what the app itself counts, where this process can tell the whole of it.

    That is when there is one gateway worker, or when the app counts in the files of
    prometheus-client's multiprocess mode.
    """
    from prometheus_client import REGISTRY, CollectorRegistry  # noqa: PLC0415 - an extra
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
        yield from collector.collect()  # type: ignore[no-untyped-call]
    elif sum(not worker.serves_ui for worker in workers) == 1:
        yield from REGISTRY.collect()


def _path(directory: Path) -> Path:
    return directory / "tally"

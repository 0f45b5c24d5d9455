from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fluxlit.metrics import BUCKETS, Exposition, Tallies
from fluxlit.workers.board import KINDS, Record, State
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.events import Reason, WorkerEvents

GATEWAY, UI = (KINDS.index(kind) for kind in (WorkerKind.GATEWAY, WorkerKind.UI))
NEVER_SILENT = 2**62


@dataclass
class Service:
    """A source whose workers the test makes up."""

    directory: Path
    workers: list[Record] = field(default_factory=list)

    def tallies(self) -> Tallies:
        return Tallies(self.directory)

    def figures(self) -> list[Record]:
        return self.workers

    def events(self) -> WorkerEvents:
        return WorkerEvents(self.directory)

    def samples(self) -> dict[tuple[str, ...], float]:
        """What Prometheus would read: name and labels to value."""
        content_type, body = Exposition(self)("text/plain")
        assert content_type.startswith("text/plain; version=")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }


@pytest.fixture
def service(tmp_path: Path) -> Service:
    Tallies.create(tmp_path, rows=4)
    WorkerEvents.create(tmp_path)
    return Service(tmp_path)


def test_totals_are_those_of_all_workers(service: Service) -> None:
    for index, times in ((0, 2), (3, 5)):
        for _ in range(times):
            service.tallies().tally(index).count("api", "GET")
    service.tallies().tally(1).count("streamlit", "WEBSOCKET")
    samples = service.samples()
    assert samples["fluxlit_gateway_requests_total", "api", "GET"] == 7
    assert samples["fluxlit_gateway_requests_total", "streamlit", "WEBSOCKET"] == 1


def test_a_successor_counts_on(service: Service) -> None:
    service.tallies().tally(0).count("api", "GET")
    Tallies(service.directory).tally(0).count("api", "GET")
    assert service.samples()["fluxlit_gateway_requests_total", "api", "GET"] == 2


def test_what_happened_to_workers_is_told_by_kind_and_reason(service: Service) -> None:
    owner = service.events()
    owner.count(WorkerKind.UI, Reason.DIED)
    owner.count(WorkerKind.UI, Reason.DIED)
    owner.count(WorkerKind.GATEWAY, Reason.RELOAD)
    samples = service.samples()
    told = {key[1:]: value for key, value in samples.items() if "worker_events_total" in key[0]}
    assert told == {
        **{(kind, why.label): 0 for kind in ("gateway", "ui") for why in Reason},
        ("ui", "died"): 2,
        ("gateway", "reload"): 1,
    }


def test_methods_that_a_client_made_up_are_one_label(service: Service) -> None:
    tally = service.tallies().tally(0)
    for number in range(100):
        tally.count("api", f"METHOD{number}")
    kinds = [key for key in service.samples() if key[0] == "fluxlit_gateway_requests_total"]
    assert kinds == [("fluxlit_gateway_requests_total", "api", "OTHER")]


def test_durations_fall_into_the_agreed_buckets(service: Service) -> None:
    assert BUCKETS == (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
    tally = service.tallies().tally(0)
    for seconds in (0.001, 0.002, 0.5, 3600.0):
        tally.observe("streamlit", seconds)
    samples = service.samples()
    name = "fluxlit_gateway_request_duration_seconds"
    cumulative = [samples[f"{name}_bucket", "streamlit", str(bound)] for bound in BUCKETS]
    assert cumulative == [1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    assert samples[f"{name}_bucket", "streamlit", "+Inf"] == 4
    assert samples[f"{name}_count", "streamlit"] == 4
    assert samples[f"{name}_sum", "streamlit"] == pytest.approx(3600.503)
    assert samples[f"{name}_count", "api"] == 0


def test_workers_are_told_apart_by_a_label(service: Service) -> None:
    ready = Record(
        State.READY, UI, 0, 1, beat_ns=NEVER_SILENT, resident=5, taken=4, sockets=3, sent=2
    )
    service.workers = [Record(State.READY, GATEWAY, 0, 3, 0), ready, Record(State.GONE, UI, 1, 2)]
    samples = service.samples()
    assert samples["fluxlit_worker_up", "ui-0"] == 1
    assert samples["fluxlit_worker_up", "ui-1"] == 0
    assert samples["fluxlit_worker_up", "gateway-0"] == 0, "its loop has not turned for long"
    assert samples["fluxlit_worker_resident_memory_bytes", "ui-0"] == 5
    assert samples["fluxlit_worker_taken_sockets_total", "ui-0"] == 4
    assert samples["fluxlit_worker_websockets", "ui-0"] == 3
    assert samples["fluxlit_worker_sent_messages_total", "ui-0"] == 2
    assert ("fluxlit_worker_websockets", "gateway-0") not in samples


@pytest.mark.parametrize(("gateways", "told"), [(1, True), (2, False)])
def test_the_app_s_own_counts_are_told_where_they_are_whole(
    service: Service, gateways: int, told: bool
) -> None:
    service.workers = [Record(State.READY, GATEWAY, slot) for slot in range(gateways)]
    assert (("process_resident_memory_bytes",) in service.samples()) is told


def test_the_multiprocess_mode_of_the_app_is_respected(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    service.workers = [Record(State.READY, GATEWAY, slot) for slot in range(1)]
    assert ("process_resident_memory_bytes",) not in service.samples()


def test_openmetrics_is_spoken_to_those_who_ask_for_it(service: Service) -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    content_type, body = Exposition(service)(accept)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")

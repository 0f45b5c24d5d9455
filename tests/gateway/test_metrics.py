from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.gateway.test_observe import Service

from fluxlit.gateway.metrics import GATEWAY_PROMETHEUS_METRICS, get_gateway_prom_metrics
from fluxlit.gateway.observe import Metrics
from fluxlit.metrics import BUCKETS


def figures() -> dict[str, float]:
    pair = get_gateway_prom_metrics()
    assert pair is not None
    return {
        sample.name: sample.value
        for metric in pair
        for family in metric.collect()
        for sample in family.samples
        if sample.labels.get("dispatch") == "api"
    }


def test_an_app_reads_what_its_service_has_counted(tmp_path: Path) -> None:
    service = Service(tmp_path)
    metrics = Metrics(service)
    service.tally().count("api", "GET")
    service.tally().observe("api", 0.5)
    service.tally().observe("api", BUCKETS[-1] * 2)
    found = figures()
    assert found["fluxlit_gateway_requests_total"] == 1
    assert found["fluxlit_gateway_request_duration_seconds_count"] == 2
    assert metrics.total() is not None
    service.has_joined = False
    assert metrics.total() is None


def test_the_names_are_those_that_are_served(tmp_path: Path) -> None:
    service = Service(tmp_path)
    metrics = Metrics(service)
    service.tally().count("api", "GET")
    pair = get_gateway_prom_metrics()
    assert pair is not None
    families = [family for metric in pair for family in metric.collect()]
    assert [f"{it.name}{'_total' * (it.type == 'counter')}" for it in families] == [
        metric["name"] for metric in GATEWAY_PROMETHEUS_METRICS
    ]
    assert [it.type for it in families] == [it["type"] for it in GATEWAY_PROMETHEUS_METRICS]
    for family, said in zip(families, GATEWAY_PROMETHEUS_METRICS, strict=True):
        assert set(said["labels"]) <= family.samples[0].labels.keys()
    assert metrics.total()


def test_without_the_library_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    assert get_gateway_prom_metrics() is None

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from tests.gateway.harness import Fixed, Serve, echo_api

from fluxlit.config import FluxlitSettings
from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.gateway.observe import Metrics, metrics_of
from fluxlit.metrics import Tallies, Tally, WorkerFigures


class Service:
    """A source with one gateway and no workers."""

    has_joined = True

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        Tallies.create(directory, rows=2)

    def tallies(self) -> Tallies:
        return Tallies(self.directory)

    def tally(self) -> Tally:
        return self.tallies().tally(1)

    def figures(self) -> list[WorkerFigures]:
        return []

    def events(self) -> list[tuple[str, str, int]]:
        return []


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def settings(**more: object) -> FluxlitSettings:
    return FluxlitSettings(enable_gateway_prometheus_metrics=True, **more)  # type: ignore[arg-type]


def test_nothing_is_counted_unless_asked_for(service: Service) -> None:
    assert metrics_of(FluxlitSettings(), service) is None
    assert isinstance(metrics_of(settings(), service), Metrics)


def test_a_path_of_the_api_is_refused_with_a_word(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    assert metrics_of(settings(gateway_prometheus_metrics_path="/api/metrics"), service) is None
    assert "/api/metrics is under the API's /api" in caplog.text


def test_a_missing_library_is_named_with_the_way_to_get_it(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with caplog.at_level(logging.WARNING):
        assert metrics_of(settings(), service) is None
    assert "pip install 'fluxlit[metrics]'" in caplog.text


@pytest.mark.integration
def test_api_and_ui_are_counted_and_the_counts_served(service: Service, serve: Serve) -> None:
    nowhere = Fixed(Upstream("ui-0", "/nonexistent/ui-0.sock"))
    options = GatewayOptions(mount="/m", metrics_path="/numbers")
    server = serve(Gateway(echo_api, options, nowhere, metrics=Metrics(service)))
    for target in (b"/m/api/a", b"/api/b", b"/m/page"):
        server.get(target)
    for target in (b"/numbers", b"/m/numbers"):
        reply = server.get(target)
        assert reply.status == 200
        assert b'requests_total{dispatch="api",method_kind="GET"} 2.0' in reply.body
        assert b'requests_total{dispatch="streamlit",method_kind="GET"} 1.0' in reply.body
        assert b'duration_seconds_count{dispatch="api"} 2.0' in reply.body


@pytest.mark.integration
def test_a_path_that_nobody_counts_at_is_the_ui_s(serve: Serve) -> None:
    nowhere = Fixed(Upstream("ui-0", "/nonexistent/ui-0.sock"))
    assert serve(Gateway(echo_api, GatewayOptions(), nowhere)).get(b"/numbers").status == 503

"""Gateways to test: one shared by a file, or one built with options of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.harness import (
    DEFAULT,
    BuildHouse,
    FakeUpstream,
    Fixed,
    GatewayServer,
    House,
    Serve,
    echo_api,
)

from fluxlit._types import ASGIApp
from fluxlit.gateway import Gateway, GatewayOptions, Upstream


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A short directory: the path of a Unix socket is at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="fxg") as name:
        yield Path(name)


@pytest.fixture
def upstream(run_dir: Path) -> Iterator[FakeUpstream]:
    fake = FakeUpstream(run_dir / "ui-0.sock")
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def shared_house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="fxg") as name:
        fake = FakeUpstream(Path(name) / "ui-0.sock")
        gateway = Gateway(echo_api, GatewayOptions(), Fixed(Upstream("ui-0", str(fake.path))))
        server = GatewayServer(gateway)
        yield House(server, fake, gateway)
        server.stop()
        fake.close()


@pytest.fixture
def plain(shared_house: House) -> House:
    """A gateway with default options; one server serves a whole file, each test scripts anew."""
    shared_house.upstream.heads.clear()
    shared_house.upstream.script = shared_house.upstream.answer_all
    return shared_house


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run gateways until the test is over."""
    servers: list[GatewayServer] = []

    def start(gateway: Gateway, *, uds: str | None = None) -> GatewayServer:
        servers.append(GatewayServer(gateway, uds=uds))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def house(upstream: FakeUpstream, serve: Serve) -> BuildHouse:
    """Build gateways with options of their own before one fake upstream."""

    def build(options: GatewayOptions = DEFAULT, api: ASGIApp | None = None) -> House:
        upstreams = Fixed(Upstream("ui-0", socket_path=str(upstream.path)))
        gateway = Gateway(api or echo_api, options, upstreams)
        return House(serve(gateway), upstream, gateway)

    return build

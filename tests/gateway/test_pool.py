from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.gateway.harness import BuildHouse, Conn, EventFlag

from fluxlit.gateway import GatewayOptions, Upstream
from fluxlit.gateway.pool import ConnectionPool

pytestmark = pytest.mark.integration


def test_a_limit_of_connections_makes_requests_wait_their_turn(house: BuildHouse) -> None:
    home = house(GatewayOptions(max_connections=1, connect_timeout=0.3))
    taken, leave = EventFlag(), EventFlag()

    def script(conn: Conn) -> None:
        while head := conn.head():
            if b"/slow" in head:
                taken.set()
                leave.expect("nobody let the slow request go")
            conn.ok()

    home.upstream.script = script
    with home.server.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        taken.expect("the slow request did not arrive")
        reply = home.server.get(b"/")
        assert (reply.status, reply.header(b"retry-after")) == (503, b"2")
        leave.set()
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert home.server.get(b"/").status == 200


def test_a_failure_to_connect_gives_its_place_back(house: BuildHouse) -> None:
    home = house(GatewayOptions(max_connections=1, connect_timeout=0.3))
    home.upstream.close()
    assert [home.server.get(b"/").status for _ in range(3)] == [503] * 3


@pytest.mark.parametrize(("options", "kept"), [({}, 4), ({"max_idle_connections": 2}, 2)])
def test_no_more_idle_connections_are_kept_than_allowed(
    house: BuildHouse, options: dict[str, int], kept: int
) -> None:
    home = house(GatewayOptions(**options))  # type: ignore[arg-type]
    all_there = threading.Barrier(4)

    def script(conn: Conn) -> None:
        while conn.head():
            with contextlib.suppress(threading.BrokenBarrierError):
                all_there.wait(10)
            conn.ok()

    home.upstream.script = script
    for _ in range(2):  # four at a time, then four more on what was kept
        with ThreadPoolExecutor(4) as threads:
            assert [r.status for r in threads.map(home.server.get, [b"/"] * 4)] == [200] * 4
    assert home.upstream.connections == 4 + (4 - kept)


def test_nothing_is_kept_of_a_worker_that_is_gone(run_dir: Path) -> None:
    """Each worker that is born has an address of its own; a long life sees many."""

    async def scenario() -> None:
        pool = ConnectionPool(GatewayOptions())
        for generation in range(5):
            path = run_dir / f"ui-0.{generation}.sock"
            server = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
            upstream = Upstream("ui-0", str(path))
            connection = await pool.acquire(upstream, "ada", fresh=True)
            assert [it.socket_path for it in pool._slots] == [str(path)]
            while not connection.closed:  # noqa: ASYNC110 - each turn brings its end nearer
                await asyncio.sleep(0)
            pool.release(upstream, "ada", connection)
            server.close()

    asyncio.run(asyncio.wait_for(scenario(), 10))

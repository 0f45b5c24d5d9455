"""What passes through the gateway does not pile up in it, whoever is the slow one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.gateway.harness import Conn, EventFlag, FakeUpstream

pytestmark = pytest.mark.integration

MB = 1024 * 1024
PIECE = bytes(MB)


@dataclass
class GatewayProcess:
    path: Path
    process: subprocess.Popen[bytes]
    upstream: FakeUpstream

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(str(self.path))
        return client

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)


@pytest.fixture
def gateway(run_dir: Path, upstream: FakeUpstream) -> Iterator[GatewayProcess]:
    path = run_dir / "front.sock"
    command = [sys.executable, "-m", "uvicorn", "tests.gateway.served:app", "--uds", str(path)]
    env = {**os.environ, "UPSTREAM_SOCKET": str(upstream.path)}
    root = Path(__file__).parents[2]
    process = subprocess.Popen([*command, "--log-level", "critical"], env=env, cwd=root)
    try:
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        served = GatewayProcess(path, process, upstream)
        with served.connect() as client:  # what is loaded late is loaded now
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        yield served
    finally:
        process.terminate()
        process.wait(20)


def test_an_upload_of_300_mb_leaves_nothing_behind(gateway: GatewayProcess) -> None:
    received: list[int] = []

    def script(conn: Conn) -> None:
        conn.head()
        total = len(conn.buffer)
        while total < 300 * MB:
            total += len(conn.raw.recv(MB))
        received.append(total)
        conn.ok()

    gateway.upstream.script = script
    before = gateway.memory()
    with gateway.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (300 * MB))
        peak = before
        for _ in range(300):
            client.sendall(PIECE)
            peak = max(peak, gateway.memory())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert received == [300 * MB]
    assert peak - before < 32 * MB


def test_a_download_of_300_mb_leaves_nothing_behind(gateway: GatewayProcess) -> None:
    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (300 * MB))
        for _ in range(300):
            conn.send(PIECE)

    gateway.upstream.script = script
    before = gateway.memory()
    peak, total = before, 0
    with gateway.connect() as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while data := client.recv(MB):
            total += len(data)
            peak = max(peak, gateway.memory())
    assert total > 300 * MB
    assert peak - before < 32 * MB


def test_clients_that_do_not_read_hold_their_sources_back(gateway: GatewayProcess) -> None:
    blocked = threading.Semaphore(0)

    def script(conn: Conn) -> None:
        conn.head()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
        conn.raw.settimeout(1)
        try:
            for _ in range(100):
                conn.send(PIECE)
        except TimeoutError:
            blocked.release()

    gateway.upstream.script = script
    before = gateway.memory()
    clients = [gateway.connect() for _ in range(8)]
    try:
        for client in clients:
            client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in clients:
            assert blocked.acquire(timeout=20)
        assert gateway.memory() - before < 32 * MB
    finally:
        for client in clients:
            client.close()


def test_an_upstream_that_does_not_read_holds_the_upload_back(gateway: GatewayProcess) -> None:
    over = EventFlag()

    def script(conn: Conn) -> None:
        conn.head()
        over.wait(20)

    gateway.upstream.script = script
    before = gateway.memory()
    with gateway.connect() as client:
        client.settimeout(1)
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (100 * MB))
        with pytest.raises(TimeoutError):
            client.sendall(PIECE * 100)
    assert gateway.memory() - before < 32 * MB
    over.set()

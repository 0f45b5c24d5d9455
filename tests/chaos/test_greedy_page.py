"""A tab that asks for run after run and reads nothing: it is cut by a bound, not by the memory."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from tests.runtime.harness import workers
from tests.support.servers import handshake, receive_until
from tests.support.service import running
from tests.support.tab import Tab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

MB = 1024 * 1024
LIMIT_MB = 20
"""The largest message, and with it the most that waits for one browser."""

RUNS = 60
TEXT = 4_000_000
APP = """
import os
from pathlib import Path
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")
RUNS = []
Path("runs").write_text("0")

@app.page("/")
def home(st: Any) -> None:
    RUNS.append(1)
    st.text(os.urandom(2_000_000).hex())
    Path("runs").write_text(str(len(RUNS)))
"""


MESSAGE = BackMsg(rerun_script=ClientState(query_string="a=1")).SerializeToString()
ASKS = bytes([0x82, 0x80 | len(MESSAGE), 0, 0, 0, 0]) + MESSAGE
"""A binary frame, masked with zeros (RFC 6455 section 5.2), that asks for a run."""


def ask_on(greedy: socket.socket, made: Path) -> Iterator[None]:
    """Ask for run after run, each when the last one is made; end when no more are made."""
    for _ in range(RUNS):
        before, deadline = made.read_text(), time.monotonic() + 3
        greedy.sendall(ASKS)
        while made.read_text() == before:
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
        yield


def test_a_tab_that_reads_nothing_is_cut_and_another_is_served(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    small = {"FLUXLIT_STREAMLIT_RUN_CLI_ARGS": f"--server.maxMessageSize={LIMIT_MB}"}
    with running("run", directory=tmp_path, environment=small) as service:
        with Tab(service.port) as tab:
            tab.run()
        ui = workers(service)["ui"]
        before = ui.memory_info().rss
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as greedy:
            greedy.sendall(handshake(target=b"/_stcore/stream"))
            assert b" 101 " in receive_until(greedy, b"\r\n\r\n")
            taken = [ui.memory_info().rss - before for _ in ask_on(greedy, tmp_path / "runs")]
        assert len(taken) < RUNS, "it was served for as long as it asked"
        assert max(taken) < 5 * LIMIT_MB * MB
        with Tab(service.port) as tab:
            assert len(tab.run().texts[0]) == TEXT

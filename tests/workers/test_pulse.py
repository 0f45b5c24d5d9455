from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from fluxlit.workers.board import COLUMN, Board
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.pulse import Pulse
from fluxlit.workers.traffic import Traffic


def test_a_beat_tells_time_weight_and_counts(tmp_path: Path) -> None:
    row = Board.create(tmp_path).claim(WorkerKind.UI, 0).row
    row[COLUMN["beat_ns"]] = 0
    traffic = Traffic(taken=3, sockets=2)
    before = time.monotonic_ns()
    Pulse(row, traffic).beat()
    (record,) = Board(tmp_path).records()
    assert before <= record.beat_ns <= time.monotonic_ns()
    assert record.resident > 10 * 1024 * 1024
    assert (record.taken, record.sockets) == (3, 2)


def test_it_beats_as_soon_as_the_loop_turns(tmp_path: Path) -> None:
    row = Board.create(tmp_path).claim(WorkerKind.UI, 0).row
    row[COLUMN["beat_ns"]] = 0

    async def main() -> None:
        beating = asyncio.create_task(Pulse(row).run())
        await asyncio.sleep(0)
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating

    asyncio.run(main())
    assert row[COLUMN["beat_ns"]] > 0

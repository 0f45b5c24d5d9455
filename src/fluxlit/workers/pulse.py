"""What a worker writes on its row of the board: that its loop turns, and how much it does."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import fields
from typing import Final

from fluxlit._table import Row
from fluxlit.workers.board import COLUMN
from fluxlit.workers.memory import resident_meter
from fluxlit.workers.traffic import Traffic

BEAT_SECONDS: Final = 1.0

_COUNTS: Final = tuple((field.name, COLUMN[field.name]) for field in fields(Traffic))


class Pulse:
    """Keeps a worker's row true while its event loop turns.

    Args:
        row: The row.
        traffic: What the worker counts.
    """

    def __init__(self, row: Row, traffic: Traffic | None = None) -> None:
        self._row = row
        self._traffic = traffic or Traffic()
        self._resident = resident_meter()
        self._pid = os.getpid()

    def beat(self) -> None:
        """Write everything now."""
        row = self._row
        row[COLUMN["pid"]] = self._pid
        row[COLUMN["beat_ns"]] = time.monotonic_ns()
        row[COLUMN["resident"]] = self._resident()
        for name, column in _COUNTS:
            row[column] = getattr(self._traffic, name)

    async def run(self) -> None:
        """Beat once a second, until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_SECONDS)

from __future__ import annotations

from fluxlit.workers.memory import resident_meter


def test_it_sees_memory_that_is_touched() -> None:
    meter = resident_meter()
    before = meter()
    block = bytearray(b"x") * (64 * 1024 * 1024)
    assert 60 * 1024 * 1024 < meter() - before < 80 * 1024 * 1024
    del block

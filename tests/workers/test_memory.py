from __future__ import annotations

import sys

import pytest

from fluxlit.workers.memory import give_back, resident_meter


def test_it_sees_memory_that_is_touched() -> None:
    meter = resident_meter()
    before = meter()
    block = bytearray(b"x") * (64 * 1024 * 1024)
    assert 60 * 1024 * 1024 < meter() - before < 80 * 1024 * 1024
    del block


@pytest.mark.skipif(sys.platform != "linux", reason="a service of GNU's C library")
def test_memory_that_was_freed_among_used_is_given_back() -> None:
    meter = resident_meter()
    blocks = [bytearray(b"x") * 60_000 for _ in range(1000)]
    used = blocks[::10]
    held = meter()
    del blocks
    give_back()
    assert held - meter() > 30 * 1024 * 1024
    assert len(used) == 100

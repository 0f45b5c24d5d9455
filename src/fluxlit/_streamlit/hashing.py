"""The hash of a large message, by the digest that this machine computes fastest.

Streamlit names each message by a hash, so that a browser can be sent a name instead of a message it
has. For a table of megabytes that is a fifth of the run: BLAKE2b, its choice, is the fastest in
software, while most processors compute SHA-256 themselves, in less than half of the time.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from types import SimpleNamespace
from typing import Final

from streamlit import util
from streamlit.runtime import forward_msg_cache

LARGE: Final = 64 * 1024
"""Bytes from which on the digest matters."""

_CANDIDATES: Final = ("blake2b", "sha256")


def hash_quickly() -> None:
    """Let Streamlit name large messages by the fastest digest."""
    vars(forward_msg_cache)["util"] = SimpleNamespace(**{**vars(util), "calc_hash": calc_hash})


def calc_hash(data: bytes | str) -> str:
    """Return a message's hash, as Streamlit does for small ones."""
    if isinstance(data, str) or len(data) < LARGE:
        return util.calc_hash(data)
    return hashlib.new(fastest(), data, usedforsecurity=False).hexdigest()


@cache
def fastest() -> str:
    """Return the name of the digest that takes the least time here; found out once."""
    sample = bytes(LARGE)
    return min(_CANDIDATES, key=lambda name: min(_seconds(name, sample) for _ in range(3)))


def _seconds(name: str, sample: bytes) -> float:
    started = time.perf_counter()
    hashlib.new(name, sample, usedforsecurity=False)
    return time.perf_counter() - started

"""The names of large messages, made by a hash that costs next to nothing.

Streamlit names each message by a hash of its content, so that a browser can be sent a name instead
of a message that it has. Its BLAKE2b is a quarter of the run of a page with a table of megabytes;
XXH3 takes a tenth of that time on any processor.

XXH3 is no cryptographic hash: who knows its seed can make two messages of one name, and a session
would then be shown the first in place of the second. So the seed is the service's secret, the same
for all of its workers: what a browser has from one of them, another need not send again.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Final

import xxhash
from streamlit import util
from streamlit.runtime import forward_msg_cache

LARGE: Final = 64 * 1024
"""Bytes from which on the time matters."""


def hash_quickly(key: str) -> None:
    """Let Streamlit name large messages by the quick hash.

    Args:
        key: A secret, in hexadecimal digits.
    """
    named = partial(calc_hash, seed=int(key[:16], 16))
    vars(forward_msg_cache)["util"] = SimpleNamespace(**{**vars(util), "calc_hash": named})


def calc_hash(data: bytes | str, *, seed: int) -> str:
    """Return a message's hash; of a small one as Streamlit does."""
    if isinstance(data, str) or len(data) < LARGE:
        return util.calc_hash(data)
    return xxhash.xxh3_128_hexdigest(data, seed)

"""The content codings that files are sent in (RFC 9110 section 8.4.1).

Two efforts: *quick* for a visitor who waits, *thorough* for the copies that are kept. Measured on
the 60 files of a first visit (2.1 MB): brotli 5 makes 467 kB of them in 0.05 s, brotli 10 makes
427 kB in 1.4 s, brotli 11 419 kB in 3.8 s; gzip 6 and 9 make 507 and 506 kB in 0.07 s.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import brotli

QUICK_BROTLI: Final = 5
THOROUGH_BROTLI: Final = 10

_PIECE: Final = 1 << 20
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Coding:
    """One content coding.

    Attributes:
        name: As in ``Content-Encoding``.
        suffix: What a copy's file name ends with.
        quick: Compresses while somebody waits.
        thorough: Compresses well.
        expands_to: Tells whether a copy is that of a content.
    """

    name: str
    suffix: str
    quick: Callable[[bytes], bytes]
    thorough: Callable[[bytes], bytes]
    expands_to: Callable[[bytes, bytes], bool]


def _brotli_expands_to(copy: bytes, content: bytes) -> bool:
    decoder = brotli.Decompressor()
    position = 0
    try:
        piece = decoder.process(copy, output_buffer_limit=_PIECE)
        while piece or not decoder.can_accept_more_data():
            if not content.startswith(piece, position):
                return False
            position += len(piece)
            piece = decoder.process(b"", output_buffer_limit=_PIECE)
    except brotli.error:
        return False
    return decoder.is_finished() and position == len(content)


def _gzip_expands_to(copy: bytes, content: bytes) -> bool:
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    try:  # one byte more than there should be tells a longer one
        found = decoder.decompress(copy, len(content) + 1)
    except zlib.error:
        return False
    return decoder.eof and found == content


BROTLI: Final = Coding(
    "br",
    ".br",
    partial(brotli.compress, quality=QUICK_BROTLI),
    partial(brotli.compress, quality=THOROUGH_BROTLI),
    _brotli_expands_to,
)
# Without a time in the head, equal contents have equal copies.
GZIP: Final = Coding(
    "gzip",
    ".gz",
    partial(gzip.compress, compresslevel=6, mtime=0),
    partial(gzip.compress, compresslevel=9, mtime=0),
    _gzip_expands_to,
)

CODINGS: Final = (BROTLI, GZIP)
"""Every coding, the better one first."""

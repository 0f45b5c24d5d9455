"""The files that browsers may ask for, listed once: what is not in the list cannot be reached."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fluxlit._streamlit.frontend import INDEX, StreamlitFrontend

_TYPES: Final = {
    ".css": b"text/css; charset=utf-8",
    ".gif": b"image/gif",
    ".html": b"text/html; charset=utf-8",
    ".ico": b"image/x-icon",
    ".jpeg": b"image/jpeg",
    ".jpg": b"image/jpeg",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".ttf": b"font/ttf",
    ".txt": b"text/plain; charset=utf-8",
    ".wasm": b"application/wasm",
    ".webp": b"image/webp",
    ".woff": b"font/woff",
    ".woff2": b"font/woff2",
}
# A table of ours: the system's would decide whether scripts run (nosniff).
_UNKNOWN_TYPE: Final = b"application/octet-stream"
_COMPRESSIBLE: Final = frozenset(
    {".css", ".html", ".ico", ".js", ".json", ".map", ".svg", ".ttf", ".txt", ".wasm"}
)
_HASHED: Final = re.compile(r"static/.+\.[A-Za-z0-9_-]{8}\.\w+")
_MENTIONED: Final = re.compile(r'"\./(static/[^"]+)"')
_IMAGES: Final = frozenset({".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp"})
_LARGEST_ICON: Final = 1 << 20

FOREVER: Final = b"public, immutable, max-age=31536000"
"""For names that change with their content."""

ASK_AGAIN: Final = b"no-cache"
"""For all others: kept, and used after the server has said that nothing changed."""

NOT_SHARED: Final = b"private, no-cache"
"""For pages: the same, but by the visitor's browser alone, because an answer may pin a visitor to a
worker, and a shared cache would give that cookie to everybody."""


@dataclass(frozen=True, slots=True)
class FrontendFile:
    """One file that browsers may ask for.

    Attributes:
        name: Its path below the UI's root, without a leading slash.
        source: Where it is on disk.
        size: Its length in bytes.
    """

    name: str
    source: Path
    size: int

    @property
    def content_type(self) -> bytes:
        """The value of ``Content-Type``."""
        return _TYPES.get(self.source.suffix.lower(), _UNKNOWN_TYPE)

    @property
    def cache_control(self) -> bytes:
        """The value of ``Cache-Control``."""
        return FOREVER if _HASHED.fullmatch(self.name) else ASK_AGAIN

    @property
    def compressible(self) -> bool:
        """Whether compressing it pays."""
        return self.source.suffix.lower() in _COMPRESSIBLE


def list_files(frontend: StreamlitFrontend) -> list[FrontendFile]:
    """List the files, ``index.html`` excepted; what leads out of the folder is left out."""
    root = frontend.directory.resolve()
    found = (
        FrontendFile(path.relative_to(root).as_posix(), path, path.stat().st_size)
        for path in root.rglob("*")
        if path.is_file() and path.resolve().is_relative_to(root)
    )
    return [file for file in found if file.name != INDEX]


def by_urgency(files: Iterable[FrontendFile], index: str) -> list[FrontendFile]:
    """Order files: those that the page asks for at once, then the others, small ones first."""
    mentioned = set(_MENTIONED.findall(index))
    return sorted(files, key=lambda file: (file.name not in mentioned, file.size, file.name))


def icon_file(path: str) -> FrontendFile | None:
    """Offer a picture of the user's as a favicon, under a name that changes with its content."""
    source = Path(path)
    if source.suffix.lower() not in _IMAGES or not source.is_file():
        return None
    content = source.read_bytes()
    if len(content) > _LARGEST_ICON:
        return None
    digest = hashlib.sha256(content).hexdigest()[:8]
    return FrontendFile(f"static/media/icon.{digest}{source.suffix}", source, len(content))


def fingerprint(files: Iterable[FrontendFile]) -> Iterator[bytes]:
    """Yield what tells one set of files from another; the same on every machine."""
    for file in sorted(files, key=lambda file: file.name):
        yield f"{file.name} {file.size}\n".encode()

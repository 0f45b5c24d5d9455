"""Where the API is, and which paths lead there. Nothing here touches a socket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import httpx2

from fluxlit._env import INTERNAL_API_BASE, INTERNAL_API_SOCKET
from fluxlit.exceptions import ConfigurationError

DEFAULT_BASE: Final = "http://127.0.0.1:8000/api"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API is: its base URL, and the Unix socket that answers for it, if any."""

    base: httpx2.URL
    socket: str | None = None

    @classmethod
    def choose(cls, base_url: str | None, environ: Mapping[str, str]) -> Endpoint:
        """Choose the argument, else the environment, else this machine's default port."""
        inherited = environ.get(INTERNAL_API_BASE, "").strip()
        source = INTERNAL_API_BASE if base_url is None and inherited else "base_url"
        text = base_url if base_url is not None else inherited or DEFAULT_BASE
        socket = environ.get(INTERNAL_API_SOCKET) or None
        return _endpoint(text, source, socket if base_url is None else None)

    @property
    def prefix(self) -> str:
        """The path of the base URL, ``""`` for the root."""
        return self.base.path.rstrip("/")

    def __str__(self) -> str:
        origin = f"{self.base.scheme}://{self.base.netloc.decode()}{self.prefix}"
        return f"{origin} (socket {self.socket})" if self.socket else origin

    def url(self, path: str) -> httpx2.URL:
        """Return the URL of a path under the API."""
        return _url(self, path)


@lru_cache(maxsize=256)
def _url(endpoint: Endpoint, path: str) -> httpx2.URL:
    """Join a path to the base. Pages ask for the same few again and again."""
    prefix = endpoint.prefix
    relative = _check_path(path, prefix)
    try:
        return endpoint.base.join(f"{prefix}{relative}")
    except httpx2.InvalidURL as exc:
        msg = f"the path cannot stand in a URL: {exc}"
        raise ValueError(msg) from None


@lru_cache(maxsize=16)
def _endpoint(text: str, source: str, socket: str | None) -> Endpoint:
    """Make one; each run of a page makes a client for the same place."""
    return Endpoint(_parse_base(text, source), socket)


def _parse_base(text: str, source: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text.strip())
    except httpx2.InvalidURL as exc:
        msg = f"{source}: not a URL: {exc}"
        raise ConfigurationError(msg, remedy=f"write it like {DEFAULT_BASE}") from None
    if url.scheme not in {"http", "https"} or not url.host or url.query or url.fragment:
        msg = f"{source}: expected the http or https URL of an API, without a query"
        raise ConfigurationError(msg, remedy=f"write it like {DEFAULT_BASE}")
    return url


def _check_path(path: str, prefix: str) -> str:
    """Return *path* with its leading slash, or say what to write instead.

    Only the path is looked at: a query may hold anything, a URL for instance.
    """
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    if path.startswith("//") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", bare):
        msg = 'the path must be relative to the API: write "/users", without a scheme and host'
        raise ValueError(msg)
    rooted = path if path.startswith("/") else f"/{path}"
    bare = bare if bare.startswith("/") else f"/{bare}"
    if prefix and f"{bare}/".startswith(f"{prefix}/"):
        msg = (
            f"the path must be relative to the API: write {bare.removeprefix(prefix) or '/'!r}, "
            f"not {bare!r} (for a route of that name inside the API: {'/.' + bare!r})"
        )
        raise ValueError(msg)
    depth = 0
    for segment in unquote(bare).split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(segment, 1)
        if depth < 0:
            msg = f'the path {bare!r} leads out of the API: it has too many ".." segments'
            raise ValueError(msg)
    return rooted

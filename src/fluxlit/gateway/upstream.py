"""Where the UI lives, who serves it now, and how a connection to it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from fluxlit.exceptions import (
    UpstreamError,
    UpstreamStarting,
    UpstreamTimeout,
    UpstreamUnavailable,
)

PRESENCE_SECONDS = 1.0
"""For how long an upstream that answered is taken to be there."""

_P = TypeVar("_P", bound=asyncio.BaseProtocol)


@dataclass(frozen=True, slots=True)
class Upstream:
    """One Streamlit origin that the gateway can send to.

    Attributes:
        name: What logs call it.
        socket_path: Its Unix socket; ``None`` to reach it through ``url``.
        url: Scheme, host and port where there is no socket.
        handoff_path: Where it takes browsers' sockets over; ``None`` if it does not.
        headers: What every request to it carries besides: a key.
        managed: Whether a supervisor keeps it alive, so that "nobody listens" means "not yet".
    """

    name: str
    socket_path: str | None = None
    url: str = "http://ui"
    handoff_path: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    managed: bool = True


@dataclass(frozen=True, slots=True)
class Member:
    """One UI worker among those of a service, as it is now.

    Attributes:
        upstream: How it is reached.
        slot: Its place among them; a successor has the same.
        generation: Number of its birth; a successor has a higher one.
        load: What it has to do, in open sessions.
        serves: Whether it can be reached and answers: it is ready, or ending and not gone.
        welcomes: Whether new visitors should come to it.
        stuck: Whether its event loop stands still. It does not serve now, but may do so again, with
            all of its sessions.
        detail: Why it does not serve or should be left alone; empty when all is well.
    """

    upstream: Upstream
    slot: int = 0
    generation: int = 0
    load: int = 0
    serves: bool = True
    welcomes: bool = True
    stuck: bool = False
    detail: str = ""


class Upstreams(Protocol):
    """Knows the UI workers."""

    def members(self) -> Sequence[Member]:
        """Return every worker that is, is about to be, or is to come back."""
        ...  # pragma: no cover


class Presence:
    """Whether upstreams can be reached, asked anew after a moment.

    Args:
        connect_timeout: Seconds to reach one.
    """

    def __init__(self, connect_timeout: float) -> None:
        self._timeout = connect_timeout
        self._there: dict[str, tuple[Upstream, float]] = {}

    async def check(self, upstream: Upstream) -> None:
        """Return if the upstream was there within the last :data:`PRESENCE_SECONDS`.

        Raises:
            UpstreamError: It is not; see :func:`open_connection`.
        """
        known, valid_until = self._there.get(upstream.name, (None, 0.0))
        if known == upstream and monotonic() < valid_until:
            return
        transport, _ = await open_connection(upstream, asyncio.Protocol, self._timeout)
        transport.abort()
        self._there[upstream.name] = upstream, monotonic() + PRESENCE_SECONDS


async def open_connection(
    upstream: Upstream, factory: Callable[[], _P], timeout_seconds: float
) -> tuple[asyncio.Transport, _P]:
    """Connect a protocol to an upstream.

    Raises:
        UpstreamStarting: Nobody listens, and a supervisor is to change that.
        UpstreamUnavailable: It cannot be reached.
        UpstreamTimeout: The connection was not made in time.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _connect(upstream, factory)
    except TimeoutError as error:
        msg = f"{upstream.name}: no connection within {timeout_seconds:g} s"
        raise UpstreamTimeout(msg) from error
    except OSError as error:
        raise _refused(upstream, error) from error


async def _connect(upstream: Upstream, factory: Callable[[], _P]) -> tuple[asyncio.Transport, _P]:
    loop = asyncio.get_running_loop()
    if upstream.socket_path is not None:
        return await loop.create_unix_connection(factory, upstream.socket_path)
    url = urlsplit(upstream.url)
    secure = url.scheme in {"https", "wss"}
    port = url.port or (443 if secure else 80)
    return await loop.create_connection(factory, url.hostname or "", port, ssl=secure or None)


def _refused(upstream: Upstream, error: OSError) -> UpstreamError:
    if upstream.managed and isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return UpstreamStarting(f"{upstream.name}: nobody listens yet")
    return UpstreamUnavailable(f"{upstream.name}: cannot connect: {error}")

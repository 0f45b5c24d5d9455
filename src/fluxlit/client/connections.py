"""The connections to the API: they belong to the process, not to a client.

Nothing is sent twice: only a connection that could not be made is tried again, twice within half a
second, which covers a gateway that is being replaced.
"""

from __future__ import annotations

import atexit
import functools
import os
import ssl
from typing import Final, Self

import httpx2

from fluxlit import _headers
from fluxlit._door import HOST, SUFFIX, Door
from fluxlit.client.errors import ApiError


class ApiResponse(httpx2.Response):
    """An ordinary response whose ``raise_for_status`` says more."""

    def raise_for_status(self) -> Self:
        """Return this response, or raise :class:`ApiError` when it is no success."""
        if self.is_success:
            return self
        raise ApiError.from_response(self)


class Connections:
    """The connections of this process: one bounded pool for each Unix socket, one for TCP."""

    # Pages run in threads; a thread uses one connection at a time.
    LIMITS: Final = httpx2.Limits(
        max_connections=200,
        max_keepalive_connections=32,
        keepalive_expiry=4.0,  # below the five seconds after which Uvicorn hangs up
    )

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._pools: dict[tuple[bool, str | None], httpx2.HTTPTransport] = {}

    def pool(self, *, tls: bool, socket: str | None) -> httpx2.HTTPTransport:
        """Return the pool for one kind of address, made when it is first asked for."""
        if self._pid != os.getpid():  # after a fork the parent's connections are not ours
            self._pid, self._pools = os.getpid(), {}
        found = self._pools.get((tls, socket))
        # Two threads may both make one; the loser's has no connections yet and is dropped.
        return found or self._pools.setdefault((tls, socket), self._make(tls, socket))

    def close(self) -> None:
        """Close all of them; the next request opens new ones."""
        pools, self._pools = self._pools, {}
        if self._pid == os.getpid():
            for pool in pools.values():
                pool.close()

    def _make(self, tls: bool, socket: str | None) -> httpx2.HTTPTransport:
        # Reading the authorities' certificates takes longer than many requests. Without them a
        # plain-HTTP pool refuses every TLS peer, which only a redirect could lead to.
        verify = True if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx2.HTTPTransport(
            verify=verify, trust_env=False, limits=self.LIMITS, uds=socket, retries=2
        )


KEY: Final = _headers.KEY.decode("ascii")

_CONNECTIONS: Final = Connections()
atexit.register(_CONNECTIONS.close)


class SharedTransport(httpx2.BaseTransport):
    """Sends through the process's connections, or an injected transport, and closes neither."""

    def __init__(self, socket: str | None, injected: httpx2.BaseTransport | None) -> None:
        self._socket = socket
        self._injected = injected

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        transport = self._injected or self._pooled(request)
        answer = transport.handle_request(request)
        return ApiResponse(
            answer.status_code,
            headers=answer.headers,
            stream=answer.stream,
            extensions=answer.extensions,
        )

    def _pooled(self, request: httpx2.Request) -> httpx2.BaseTransport:
        """Return the pool for a request; one for a private port is addressed to that."""
        tls, socket = request.url.scheme == "https", self._socket
        if socket is not None and socket.endswith(SUFFIX):
            door = _door(socket)
            # The Host header, which is composed already, goes on naming the public address.
            request.url = request.url.copy_with(scheme="http", host=HOST, port=door.port)
            request.headers[KEY] = door.key
            tls, socket = False, None
        return _CONNECTIONS.pool(tls=tls, socket=socket)


def _door(path: str) -> Door:
    """Read where the private port is; it stays for a service's life."""
    try:
        return _read_door(path)
    except (OSError, ValueError) as exc:
        msg = f"the gateway has not opened its private port yet: {exc}"
        raise httpx2.ConnectError(msg) from exc


_read_door = functools.lru_cache(maxsize=8)(Door.read)

"""Documents of an identity provider, read within bounds of size and time."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from fluxlit._credentials import without_password
from fluxlit.exceptions import IdentityProviderError

LARGEST: Final = 512 * 1024
"""Bytes of an answer that are read."""


@cache
def authorities() -> ssl.SSLContext:
    """Return whom to believe about servers; reading them takes longer than many a login."""
    return httpx2.create_ssl_context()


def fetch_json(
    url: str, *, timeout_seconds: float, transport: httpx2.BaseTransport | None = None
) -> Any:
    """Get a JSON document.

    Args:
        url: Its address.
        timeout_seconds: For connecting, for each part of the answer, and for the whole.
        transport: In place of the network; for tests.

    Raises:
        IdentityProviderError: There is none.
    """
    try:
        return json.loads(_body(url, timeout_seconds, transport))
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as exc:
        msg = f"{without_password(url)} gives no document: {without_password(str(exc))}"
        raise IdentityProviderError(msg) from exc


def _body(url: str, timeout: float, transport: httpx2.BaseTransport | None) -> bytes:
    deadline = time.monotonic() + timeout
    body = bytearray()
    accepted = {"Accept": "application/json"}
    with (
        _Line(timeout) as line,
        httpx2.Client(timeout=timeout, transport=transport, verify=authorities()) as client,
        client.stream("GET", url, headers=accepted, extensions={"trace": line.note}) as answer,
    ):
        answer.raise_for_status()
        for part in answer.iter_bytes():
            body += part
            if len(body) > LARGEST or time.monotonic() > deadline:
                msg = f"the answer has more than {LARGEST} bytes, or takes more than {timeout:g} s"
                raise ValueError(msg)
    return bytes(body)


class _Line:
    """A connection that is cut when its time is over.

    The client's own limits begin anew with every byte, so that an answer whose head comes in drops
    would hold the one thread that may fetch keys for as long as its sender likes.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Take the connection from what httpcore tells of its steps, its ``trace`` extension."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)

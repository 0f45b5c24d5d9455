"""Documents of an identity provider, read within bounds of size and time."""

from __future__ import annotations

import json
import ssl
import time
from functools import cache
from typing import Any, Final

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
    with (
        httpx2.Client(timeout=timeout, transport=transport, verify=authorities()) as client,
        client.stream("GET", url, headers={"Accept": "application/json"}) as answer,
    ):
        answer.raise_for_status()
        for part in answer.iter_bytes():
            body += part
            if len(body) > LARGEST or time.monotonic() > deadline:
                msg = f"the answer has more than {LARGEST} bytes, or takes more than {timeout:g} s"
                raise ValueError(msg)
    return bytes(body)

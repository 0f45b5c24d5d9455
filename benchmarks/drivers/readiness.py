"""Waits for a contestant to be ready, asking everything that a user would need."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence

from benchmarks.drivers.load import Address, get

START_SECONDS = 60.0
_INTERVAL = 0.01


class NotReadyError(Exception):
    """A contestant ended, or did not become ready in time."""


def wait_until_ready(
    address: Address, paths: Sequence[str], died: Callable[[], str | None]
) -> None:
    """Return as soon as every path has answered 200, each asked until it does.

    Raises:
        NotReadyError: The contestant ended or took too long; the text holds its last output.
    """
    deadline = time.monotonic() + START_SECONDS
    for path in paths:
        while not _answers(address, path):
            output = died()
            if output is not None:
                msg = f"ended while starting: {output.strip()[-300:]}"
                raise NotReadyError(msg)
            if time.monotonic() > deadline:
                msg = f"{path} did not answer within {START_SECONDS:.0f} s"
                raise NotReadyError(msg)
            time.sleep(_INTERVAL)


def _answers(address: Address, path: str) -> bool:
    try:
        return get(address, path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False

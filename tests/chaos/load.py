"""A bounded, even load on a service, that keeps account of everything that goes wrong."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CLIENTS = 8
"""Half of them keep their connection, half open one for each request."""


@dataclass
class Account:
    """What the load has met so far."""

    answered: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, failure: str, seconds: float) -> None:
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            if failure:
                self.failures.append(failure)
            else:
                self.answered += 1


@contextmanager
def load(port: int, path: str, *, rate: float, timeout: float = 10.0) -> Iterator[Account]:
    """Ask for a path at an even rate for as long as the block lasts.

    Args:
        port: Of the service.
        path: What to ask for.
        rate: Requests a second, of all clients together.
        timeout: Seconds after which a request counts as failed.
    """
    account, over = Account(), threading.Event()
    clients = [
        threading.Thread(
            target=_ask,
            args=(port, path, CLIENTS / rate, timeout, account, over),
            kwargs={"keeps": number % 2 == 0},
        )
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        yield account
    finally:
        over.set()
        for client in clients:
            client.join()


def _ask(
    port: int,
    path: str,
    every: float,
    timeout: float,
    account: Account,
    over: threading.Event,
    *,
    keeps: bool,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    due = time.monotonic()
    while not over.is_set():
        began = time.monotonic()
        failure = _one(connection, path)
        account.note(failure, time.monotonic() - began)
        if failure or not keeps:
            connection.close()
        due = max(due + every, time.monotonic() - every)
        over.wait(max(0.0, due - time.monotonic()))
    connection.close()


def _one(connection: http.client.HTTPConnection, path: str) -> str:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as exc:
        return repr(exc)
    return "" if response.status == 200 else f"status {response.status}"

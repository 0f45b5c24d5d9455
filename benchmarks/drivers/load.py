"""API load by wrk, and the single requests that tell whether a contestant is ready."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.apps.api import USERS
from benchmarks.environment import WRK

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
_TROUBLE = re.compile(r"Non-2xx or 3xx responses|Socket errors: [^\n]*[1-9]")


class WrongAnswerError(Exception):
    """A contestant answered something else than it should have."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a contestant listens."""

    port: int
    host: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        """The address as a browser's origin."""
        return f"http://{self.host}:{self.port}"

    def connect(self, timeout: float = 60.0) -> http.client.HTTPConnection:
        """Return a connection that opens with its first request."""
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)


def get(address: Address, path: str, timeout: float = 10.0) -> tuple[int, bytes]:
    """Return the status and the body of one GET on a connection of its own."""
    connection = address.connect(timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check_api(address: Address, path: str) -> None:
    """Check the API's answer once.

    Raises:
        WrongAnswerError: It is not the expected JSON.
    """
    status, body = get(address, path)
    if status != 200 or json.loads(body) != USERS:
        msg = f"GET {path} answered {status} {body[:100]!r}"
        raise WrongAnswerError(msg)


def throughput(address: Address, path: str, seconds: float) -> dict[str, float]:
    """Let wrk ask the API.

    Returns:
        ``rate``: answers per second; ``count``: all answers.

    Raises:
        WrongAnswerError: Some answers failed.
    """
    check_api(address, path)
    return run_wrk(address, path, seconds)


def run_wrk(
    address: Address, path: str, seconds: float, headers: Sequence[str] = ()
) -> dict[str, float]:
    """Let wrk send GETs over 16 connections, with these header lines.

    Returns:
        ``rate``: answers per second; ``count``: all answers.

    Raises:
        WrongAnswerError: Some answers failed.
    """
    argv = [WRK.path(), "-t1", "-c16", f"-d{max(1, round(seconds))}s"]
    argv += [word for header in headers for word in ("-H", header)]
    printed = subprocess.run(
        [*argv, f"{address.origin}{path}"], capture_output=True, text=True, check=True
    ).stdout
    return parse_wrk(printed)


def parse_wrk(printed: str) -> dict[str, float]:
    """Read what wrk printed, and refuse a run with failures in it.

    Raises:
        WrongAnswerError: wrk counted failed answers or printed no rate.
    """
    rate, count = _RATE.search(printed), _COUNT.search(printed)
    if rate is None or count is None or _TROUBLE.search(printed):
        msg = f"wrk: {printed.strip()[-300:]}"
        raise WrongAnswerError(msg)
    return {"rate": float(rate.group(1)), "count": float(count.group(1))}

"""The UI's own files under load: its first document, and the script that this one asks for."""

from __future__ import annotations

import re

from benchmarks.drivers.load import Address, WrongAnswerError, get, run_wrk

_MAIN_SCRIPT = re.compile(rb'src="\./(static/js/[^"]+\.js)"')
# What a browser says; without it the largest files would be sent as they are.
_BROWSER = ("Accept-Encoding: gzip, deflate, br", "Accept: text/html,*/*")


def index_rate(address: Address, seconds: float) -> dict[str, float]:
    """Let wrk load the UI's first document over 16 connections.

    Returns:
        ``rate``: answers per second; ``count``: all answers.

    Raises:
        WrongAnswerError: It cannot be had.
    """
    main_script(address)
    return run_wrk(address, "/", seconds, _BROWSER)


def asset_rate(address: Address, seconds: float) -> dict[str, float]:
    """Let wrk load the UI's main script likewise."""
    return run_wrk(address, main_script(address), seconds, _BROWSER)


def main_script(address: Address) -> str:
    """Return the path of the script that the first document loads.

    Raises:
        WrongAnswerError: The document names none.
    """
    status, body = get(address, "/")
    found = _MAIN_SCRIPT.search(body)
    if status != 200 or found is None:
        msg = f"GET / answered {status} without a script: {body[:100]!r}"
        raise WrongAnswerError(msg)
    return f"/{found.group(1).decode()}"

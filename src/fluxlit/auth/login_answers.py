"""What somebody reads whose login failed."""

from __future__ import annotations

import logging
import re
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from fluxlit.exceptions import IdentityProviderError

_LOG: Final = logging.getLogger("fluxlit.auth")

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign-in failed</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}}\
</style></head>
<body><h1>Sign-in failed</h1><p>{detail}</p><p><a href="{again}">Sign in again</a></p></body></html>
"""

HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class LoginFailed(Exception):
    """A login ends here.

    Args:
        status: The HTTP status.
        detail: What the user reads.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def provider_failed(exc: Exception, detail: str) -> LoginFailed:
    """Tell the log all of a provider's failure, and the user that it failed."""
    is_explained = isinstance(exc, IdentityProviderError)
    _LOG.warning("%s: %s", detail, exc, exc_info=None if is_explained else exc)
    return LoginFailed(502, detail)


def answer_failure(failed: LoginFailed, request: Request, again: str) -> Response:
    """Answer with a page for people, and with JSON for programs.

    Args:
        failed: What happened.
        request: What is answered.
        again: Where the login begins.
    """
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": failed.detail}, failed.status, HEADERS)
    page = _PAGE.format(detail=escape(failed.detail), again=escape(again))
    return HTMLResponse(page, failed.status, HEADERS)


def word(said: str) -> str:
    """Return what a provider calls an error (RFC 6749 section 4.1.2.1), if it is a word.

    >>> word("access_denied"), word("<b>call 555-0100</b>")
    ('access_denied', 'an error')
    """
    return said if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", said) else "an error"

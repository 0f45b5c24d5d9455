"""One browser, one login: states and codes that are good only in the browser they were made for.

A login that was begun in one browser and is ended in another is an attack: it signs a victim in as
somebody else. So each browser gets a random cookie when a login begins, and whatever then travels
through addresses carries an HMAC over itself and that cookie.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from fluxlit._secrets import derived

COOKIE: Final = "fluxlit-login"
SAFE_COOKIE: Final = f"__Host-{COOKIE}"
"""Its name on https, which no neighbouring host can set (RFC 6265bis, section 4.1.3.2)."""

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")

_SAFE: Final = "host."
"""How values on https begin. They count under that name alone: a neighbouring host that has signed
in here can set the other one, with the value that it got, in somebody else's browser."""


def browser_of(cookies: Mapping[str, str], *, is_safe: bool | None = None) -> str:
    """Return the browser's cookie; empty when it has none, or one that is not ours.

    Args:
        cookies: What the browser sent.
        is_safe: Whether the login is on https; None where that is not known.
    """
    safe, plain = cookies.get(SAFE_COOKIE, ""), cookies.get(COOKIE, "")
    is_ours = safe.startswith(_SAFE) and _FORM.fullmatch(safe.removeprefix(_SAFE))
    if is_safe is not False and is_ours:
        return safe
    return plain if not is_safe and _FORM.fullmatch(plain) else ""


def new_browser(*, is_safe: bool) -> str:
    """Return a value for a browser's cookie.

    Args:
        is_safe: Whether the login is on https.
    """
    return f"{_SAFE if is_safe else ''}{secrets.token_urlsafe(32)}"


class Seal:
    """Makes and checks sealed values.

    Args:
        secret: Signs them.
    """

    def __init__(self, secret: str) -> None:
        self._key = derived(secret, "login").encode("ascii")

    def sealed(self, kind: str, browser: str) -> str:
        """Return a new random value that is good in one browser."""
        value = secrets.token_urlsafe(32)
        return f"{value}.{self.mark(kind, value, browser)}"

    def is_good(self, kind: str, sealed: str, browser: str) -> bool:
        """Tell whether a value was sealed for this browser."""
        value, _, mark = sealed.partition(".")
        wanted = self.mark(kind, value, browser)
        return bool(browser) and hmac.compare_digest(mark.encode(), wanted.encode())

    def mark(self, kind: str, *parts: str) -> str:
        """Return the HMAC of some words, which must not hold a zero byte themselves."""
        message = "\0".join((kind, *parts)).encode("utf-8", "replace")
        digest = hmac.digest(self._key, message, "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

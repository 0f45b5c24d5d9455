"""The user and password that a URL may carry: they are for its server, never for a reader."""

from __future__ import annotations

import re
from typing import Final

# RFC 3986 section 3.2.1. What lacks the slashes is no URL, and its password a secret all the same.
_USERINFO: Final = re.compile(r"(?<=//)[^/?#\s]*@|^[^/?#\s:]+:[^/?#\s]*@")


def without_password(text: str, instead: str = "") -> str:
    """Return a URL, or text that holds some, as it may be shown: without user and password.

    The user goes, too: many services take a token in its place.

    Args:
        text: What may hold credentials.
        instead: What to put in their place.

    Example:
        >>> without_password("https://me:s3cret@desk.example/app")
        'https://desk.example/app'
        >>> without_password("me:s3cret@desk.example", "***@")
        '***@desk.example'
    """
    return _USERINFO.sub(instead, text)

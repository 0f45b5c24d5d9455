"""Keys made from one secret: who learns one of them learns neither the secret nor the others."""

from __future__ import annotations

import hmac
from typing import Final, Literal

Purpose = Literal["service", "door", "login", "messages"]
"""``service`` signs cookies; ``door`` opens a UI worker's port, and goes over the wire; ``login``
seals what travels through addresses during a login; ``messages`` names what browsers are sent."""

_LABEL: Final = "fluxlit "


def derived(secret: str, purpose: Purpose) -> str:
    """Make the key for one purpose, as 64 hexadecimal digits.

    >>> derived("s", "door") == derived("s", "service"), len(derived("s", "door"))
    (False, 64)
    """
    return hmac.digest(secret.encode(), f"{_LABEL}{purpose}".encode(), "sha256").hex()

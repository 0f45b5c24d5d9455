"""Which client headers an app may ask to have passed on to its pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from fluxlit._headers import FORWARDED, HOP_BY_HOP, OURS

REFUSED: Final = (
    frozenset(name.decode() for name in HOP_BY_HOP | FORWARDED)
    | {"authorization", "cookie", "host", "set-cookie"}
)  # fmt: skip
"""Credentials, and what the gateway itself decides: not an app's to pass on."""

_OURS: Final = OURS.decode()
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def split_forward_headers(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Sort header names into those that may be passed on and those that may not.

    Args:
        names: Header names in any case; blank ones are left out.

    Returns:
        The accepted and the rejected names, each in lower case, sorted, without repetition.

    Example:
        >>> split_forward_headers(["X-Tenant", "cookie", "x-tenant"])
        (['x-tenant'], ['cookie'])
    """
    given = {name.strip().lower() for name in names} - {""}
    accepted = {name for name in given if _NAME.fullmatch(name) and name not in REFUSED}
    accepted = {name for name in accepted if not name.startswith(("x-forwarded-", _OURS))}
    return sorted(accepted), sorted(given - accepted)

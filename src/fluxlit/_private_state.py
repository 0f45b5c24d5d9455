"""Keys of ``st.session_state`` that are one visitor's alone, and are kept nowhere else.

A login's token is such a value: in a session that is named in an address, whoever opens the address
would be signed in as somebody else.
"""

from __future__ import annotations

from typing import Final

TOKEN_KEY: Final = "fluxlit_access_token"  # noqa: S105 - a key
"""Where a login's token is unless an app says otherwise."""

_keys: Final = {TOKEN_KEY}


def keep_private(key: str) -> None:
    """Say that a key's value belongs to nobody but the visitor."""
    _keys.add(key)


def is_private(key: str) -> bool:
    """Tell whether it does.

    >>> is_private(TOKEN_KEY), is_private("name")
    (True, False)
    """
    return key in _keys

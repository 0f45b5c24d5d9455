"""Names of environment variables that cross a process border or are read outside the settings."""

from __future__ import annotations

from typing import Final

APP: Final = "FLUXLIT_APP"
"""The import target, for servers that are started without it on their command line."""

INTERNAL_API_BASE: Final = "FLUXLIT_INTERNAL_API_BASE"
"""Base URL of the API as a page reaches it."""

INTERNAL_API_SOCKET: Final = "FLUXLIT_INTERNAL_API_SOCKET"
"""Path of the Unix socket that answers for that URL; unset means plain TCP."""

API_PREFIX: Final = "FLUXLIT_API_PREFIX"
"""The API's prefix under the mount, as a page's client needs it."""

PIDFILE: Final = "FLUXLIT_PIDFILE"
NO_PIDFILE: Final = "FLUXLIT_NO_PIDFILE"

ALLOW_UNIFIED_MULTIWORKER: Final = "FLUXLIT_ALLOW_UNIFIED_UVICORN_MULTIWORKER"
"""Lets ``uvicorn app:app --workers N`` start although each worker then runs its own UI."""

RUN_DIR: Final = "FLUXLIT_RUN_DIR"
"""Where run directories are made; default: the user's runtime directory, else the temporary one."""

EXPERIMENTAL_YIELD_PAGES: Final = "FLUXLIT_EXPERIMENTAL_YIELD_PAGES"
"""Lets page functions be generators; the setting of that name, for code that has no settings."""

TEST_PAGE_OVERRIDES: Final = "FLUXLIT_TEST_PAGE_OVERRIDES"
"""Values for parameters of pages by name, as a JSON object; for tests in another process."""

STREAMLIT_UPSTREAM: Final = "FLUXLIT_STREAMLIT_UPSTREAM"
"""The setting of that name, for code that has no settings."""

DEBUG: Final = "FLUXLIT_DEBUG"
"""The setting of that name, for code that has no settings."""

DISABLE_URL_SESSION: Final = "FLUXLIT_DISABLE_URL_SESSION"
"""Switches sessions in the address off."""

TESTS: Final = "FLUXLIT_TESTS"
"""Says that pages are being tested, where an address is nobody's."""

FORCE_URL_SESSION_IN_TESTS: Final = "FLUXLIT_FORCE_URL_SESSION_IN_TESTS"
"""Keeps sessions in the address on in tests of pages."""

URL_SESSION_PARAM: Final = "FLUXLIT_URL_SESSION_PARAM"
"""Tells pages the served app's setting ``url_session_query_param``."""

CACHE_DIR: Final = "FLUXLIT_CACHE_DIR"
"""Where precompressed files are kept; default: a folder in the user's cache directory."""

TRUTHY: Final = frozenset({"1", "true", "yes", "on"})


def is_truthy(value: str | None) -> bool:
    """Read a switch the way each ``FLUXLIT_*`` switch is read.

    >>> is_truthy(" Yes "), is_truthy("0"), is_truthy(None)
    (True, False, False)
    """
    return (value or "").strip().lower() in TRUTHY

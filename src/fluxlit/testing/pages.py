"""Tests of pages with Streamlit's ``AppTest``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluxlit.workers.ui import PAGES_SCRIPT


def streamlit_main_path() -> Path:
    """Return the script that Streamlit runs for an app whose pages are functions."""
    return PAGES_SCRIPT


def apptest_assert_no_errors(at: Any) -> None:
    """Hold a tested page to having shown no exception and no error.

    Args:
        at: The ``AppTest`` after a run.

    Raises:
        AssertionError: It has; the message says what was shown.
    """
    for kind, shown in (("st.exception", at.exception), ("st.error", at.error)):
        if shown:
            told = "; ".join(str(getattr(item, "message", "") or item.value) for item in shown)
            msg = f"{kind}: {told}"
            raise AssertionError(msg)


assert_no_streamlit_exception = apptest_assert_no_errors
"""Another name of :func:`apptest_assert_no_errors`."""

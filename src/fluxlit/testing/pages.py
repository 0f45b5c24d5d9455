"""Tests of pages with Streamlit's ``AppTest``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluxlit.runtime._script import PAGES_SCRIPT

if TYPE_CHECKING:
    from fluxlit.testing.client import FluxLitTestClient


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


def apptest_select_page(  # noqa: PLR0913 - the public face; all but two by keyword
    at: Any,
    client: FluxLitTestClient,
    *,
    target: str,
    page: str,
    internal_api_base: str | None = None,
    extra_sys_path: str | Sequence[str] | None = None,
    page_key: str = "page",
    page_overrides: Mapping[str, Any] | None = None,
) -> Any:
    """Go to another page of a tested app; see :meth:`FluxLitTestClient.select_page`."""
    return client.select_page(
        at,
        page,
        target=target,
        internal_api_base=internal_api_base,
        extra_sys_path=extra_sys_path,
        page_key=page_key,
        page_overrides=page_overrides,
    )

"""Helpers for the tests of an app: its API and its pages, without a server or a browser.

Example:
    >>> from desk.app import app
    >>> client = FluxLitTestClient(app)
    >>> client.api_get("/users").json()
    [{'name': 'Ada'}]
    >>> at = client.streamlit(target="desk.app:app", query_params={"page": "Users"})
    >>> client.assert_no_streamlit_exception(at)
    >>> at.dataframe[0].value
"""

from __future__ import annotations

from fluxlit.testing.client import FluxLitTestClient, apptest_select_page
from fluxlit.testing.pages import (
    apptest_assert_no_errors,
    assert_no_streamlit_exception,
    streamlit_main_path,
)

__all__ = [
    "FluxLitTestClient",
    "apptest_assert_no_errors",
    "apptest_select_page",
    "assert_no_streamlit_exception",
    "streamlit_main_path",
]

"""What fails beside a page's run: a fragment that runs alone, or the callback of a widget."""

from __future__ import annotations

from urllib.parse import urlsplit

from fluxlit.pages.errors import show
from fluxlit.pages.visit import adopt_request_id


def show_aside(error: Exception) -> bool:
    """Show an error as the errors of pages are shown.

    Returns:
        True: Streamlit has nothing to show any more.
    """
    from fluxlit._streamlit.module import st  # noqa: PLC0415 - there is one where something failed

    adopt_request_id(st)
    show(st, error, page=urlsplit(st.context.url or "").path or "?")
    return True

"""What a visitor sees when a page fails, and what is kept for the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Final, Literal

from starlette.exceptions import HTTPException

from fluxlit._frames import from_own_frame
from fluxlit.client import ApiError, ApiUnavailableError
from fluxlit.exceptions import FluxLitError, PageInputError, PageRefused
from fluxlit.logging import get_request_id

logger = logging.getLogger("fluxlit.pages")

_DETAILED: Final = frozenset({"full", "stacktrace", True})
"""Values of Streamlit's ``client.showErrorDetails`` with which a visitor may read a trace."""


_MARKS: Final = re.compile(r"[\\`*_\[\]<>#|~$]|:(?=\S)")
"""What begins something in Streamlit's Markdown; a colon does in ``:red[...]``."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell the visitor.

    Attributes:
        text: The message.
        level: How it is shown: a refusal is a warning.
        expected: It is about the visitor or the address, not a fault: nothing is logged as error.
    """

    text: str
    level: Literal["error", "warning"] = "error"
    expected: bool = False


UNKNOWN: Final = Notice("Something went wrong on this page.")
"""All that is told of a fault that is nobody's business but the maintainers'."""


def explain(error: Exception) -> Notice:
    """Say in a visitor's words why a page cannot be shown."""
    match error:
        case PageInputError():
            told = "This page cannot be opened with this address:"
            return Notice(listed(told, error.problems), expected=True)
        case PageRefused():
            return Notice(plain(str(error)), "warning", expected=True)
        case HTTPException():
            return _of_status(error.status_code, str(error.detail))
        case ApiUnavailableError():
            return Notice("The service did not answer. Please try again in a moment.")
        case ApiError():
            return _of_status(error.status, error.detail)
    return UNKNOWN


def _of_status(status: int, detail: str) -> Notice:
    """Pass on what is said to the caller of an API; what is wrong inside it stays there."""
    if status >= 500 or not detail:
        return UNKNOWN
    return Notice(plain(detail), "warning" if status in {401, 403} else "error", expected=True)


def show(st: Any, error: Exception, *, page: str) -> None:
    """Show why a page ended, and keep the trace for the log.

    Args:
        st: The ``streamlit`` module.
        error: What the page ended with.
        page: The page's path.
    """
    notice = explain(error)
    if notice.expected:
        logger.info("page %s was not shown: %s", page, error)
        getattr(st, notice.level)(notice.text)
        return
    request_id = get_request_id()
    logger.error("page %s failed", page, exc_info=error)
    if st.get_option("client.showErrorDetails") in _DETAILED:
        st.exception(error.with_traceback(from_own_frame(error.__traceback__)))
        return
    suffix = f"\n\nRequest id: `{request_id}`" if request_id else ""
    getattr(st, notice.level)(notice.text + suffix)


def show_unloaded(st: Any, error: FluxLitError) -> None:
    """Show why the app cannot be loaded, as happens while its code is being edited.

    Args:
        st: The ``streamlit`` module.
        error: What loading it ended with; below the first line of its message is where.
    """
    heading, _, where = error.message.partition("\n")
    logger.debug("the pages cannot be loaded: %s", heading)
    st.set_page_config(page_title="The app cannot be loaded")
    st.error(plain(heading))
    if where and st.get_option("client.showErrorDetails") in _DETAILED:
        st.code(dedent(where), language=None)
    elif error.remedy:
        st.markdown(plain(error.remedy))
    st.caption("This page follows your edits: it goes on once the code can be loaded.")


def listed(heading: str, problems: Iterable[str]) -> str:
    """Return a heading with one bullet for each problem, whose words may be a visitor's."""
    return f"{heading}\n" + "".join(f"\n* {plain(problem)}" for problem in problems)


def plain(text: str) -> str:
    """Keep Markdown, which the message elements understand, out of words from elsewhere."""
    return _MARKS.sub(r"\\\g<0>", text)

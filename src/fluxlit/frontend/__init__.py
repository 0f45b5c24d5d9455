"""Streamlit's browser side, served from here: its files from memory, its page with a head.

Streamlit's own files are read and never written. Whatever this room is not sure about it leaves
to the UI worker, which answers as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fluxlit._lazy import lazy_face

if TYPE_CHECKING:
    from fluxlit.config import FluxlitSettings
    from fluxlit.frontend.options import FrontendOptions
    from fluxlit.frontend.page import PageHead
    from fluxlit.frontend.resources import Resource
    from fluxlit.frontend.server import Frontend

__all__ = ["Frontend", "FrontendOptions", "PageHead", "Resource", "make_frontend"]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "Frontend": "fluxlit.frontend.server",
        "FrontendOptions": "fluxlit.frontend.options",
        "PageHead": "fluxlit.frontend.page",
        "Resource": "fluxlit.frontend.resources",
    },
)


def make_frontend(
    settings: FluxlitSettings,
    heads: Mapping[str, PageHead],
    matches: Callable[[], bool] = lambda: True,
) -> Frontend | None:
    """Make the frontend of an app as its settings say; None where the UI worker is to serve it.

    Args:
        settings: The app's settings.
        heads: The head of each page; see :class:`~fluxlit.frontend.resources.Resources`.
        matches: Tells whether the UI is of the Streamlit that is installed here.

    Raises:
        ConfigurationError: ``ui_head_file`` cannot be read.
    """
    if not settings.ui_frontend:
        return None
    # Here, not above: an app is also imported where nothing is served, and in UI workers.
    from fluxlit.frontend.options import FrontendOptions  # noqa: PLC0415
    from fluxlit.frontend.server import Frontend  # noqa: PLC0415

    return Frontend(FrontendOptions.from_settings(settings), heads, matches=matches)

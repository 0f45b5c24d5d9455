"""Streamlit's browser side on disk, and which paths its server keeps to itself.

Nothing of Streamlit is imported here: a gateway worker has no use for it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER_PATHS: Final = (
    "_stcore",
    "app/static",
    "auth/login",
    "auth/logout",
    "component",
    "media",
    "oauth2callback",
    "static",
)
"""Where Streamlit's server answers itself (streamlit/web/server/starlette/starlette_app.py,
``create_streamlit_routes``); for every other path it sends ``index.html``.
"""

INDEX: Final = "index.html"


@dataclass(frozen=True, slots=True)
class StreamlitFrontend:
    """The installed Streamlit's files for the browser.

    Attributes:
        version: Streamlit's version.
        directory: The folder whose ``index.html`` is the page and whose ``static/`` are its files.
    """

    version: str
    directory: Path

    def index(self) -> str:
        """Read the page."""
        return (self.directory / INDEX).read_text(encoding="utf-8")


def find_frontend() -> StreamlitFrontend | None:
    """Look for the installed Streamlit's files; None where there are none."""
    spec = importlib.util.find_spec("streamlit")
    for location in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(location, "static")  # streamlit/file_util.py, get_static_dir
        if (directory / INDEX).is_file():
            return StreamlitFrontend(importlib.metadata.version("streamlit"), directory)
    return None


def is_index_path(path: str) -> bool:
    r"""Tell whether Streamlit surely answers a path with ``index.html``, unless a file has it.

    What Streamlit refuses, redirects or serves in another way is left to it, and so is whatever
    might be one of these (starlette_static_routes.py, path_security.py).

    Args:
        path: A decoded path below the UI's root, with its leading slash.

    Example:
        >>> [is_index_path(path) for path in ("/", "/orders", "/orders/", "/media/x", "/a/../b")]
        [True, True, False, False, False]
    """
    if path == "/":
        return True
    inner = path[1:]
    if not path.startswith("/") or not inner.isprintable() or "\\" in inner or inner[1:2] == ":":
        return False
    if not {"", ".", ".."}.isdisjoint(inner.split("/")) or "_stcore" in inner:
        return False
    return not f"{inner}/".startswith(tuple(f"{taken}/" for taken in SERVER_PATHS))

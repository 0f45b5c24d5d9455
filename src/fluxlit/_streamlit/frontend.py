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

ICON_FONT: Final = "Material Symbols"
"""How the font begins its name that Streamlit fetches as soon as its scripts run, for icons that
come later: a seventh of a first visit's bytes (``preloadIconFont``)."""

CONTENT: Final = "stElementContainer"
"""The ``data-testid`` of whatever a page shows."""

ICON_FONT_LATER: Final = f"""\
<script>
      // The page's content comes before a font for icons that it may not have. An icon that is
      // shown fetches the font by itself.
      (() => {{
        const load = document.fonts.load.bind(document.fonts);
        const settled = new Promise((resolve) => {{
          let quiet;
          const watch = new MutationObserver(() => {{
            if (!document.querySelector('[data-testid="{CONTENT}"]')) return;
            clearTimeout(quiet);
            quiet = setTimeout(done, 500);
          }});
          const done = () => {{ watch.disconnect(); resolve(); }};
          watch.observe(document, {{ childList: true, subtree: true }});
          setTimeout(done, 10000);
        }});
        document.fonts.load = (font, ...rest) =>
          font.includes("{ICON_FONT}")
            ? settled.then(() => load(font, ...rest))
            : load(font, ...rest);
      }})();
    </script>"""
"""Lets that font wait until the page has stood still for half a second, ten seconds at most."""


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

"""What the frontend is told once: plain values."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fluxlit import _env
from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import ConfigurationError


@dataclass(frozen=True, slots=True)
class FrontendOptions:
    """How Streamlit's browser side is served.

    Attributes:
        cache: Folder for precompressed copies.
        fragment: Markup for the end of each page's head.
        policy: ``Content-Security-Policy`` of the pages, where ``{nonce}`` stands for the nonce
            of the answer; empty for none.
    """

    cache: Path
    fragment: str = ""
    policy: str = ""

    @classmethod
    def from_settings(cls, settings: FluxlitSettings) -> FrontendOptions:
        """Take from an app's settings what concerns the frontend.

        Raises:
            ConfigurationError: ``ui_head_file`` cannot be read.
        """
        fragment = f"{settings.ui_head_html}\n{_content_of(settings.ui_head_file)}".strip()
        return cls(
            cache=cache_folder(os.environ),
            fragment=fragment,
            policy=settings.ui_content_security_policy.strip(),
        )


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where this user's programs keep what can be made again.

    ``FLUXLIT_CACHE_DIR``, else ``fluxlit`` in the folder that the platform has for it.
    """
    if chosen := environ.get(_env.CACHE_DIR):
        return Path(chosen)
    if folder := environ.get("XDG_CACHE_HOME"):
        return Path(folder, "fluxlit")
    home = Path(environ.get("HOME") or "/nonexistent")  # no home: nothing is kept
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "fluxlit"


def _content_of(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"ui_head_file {file!r} cannot be read: {exc}"
        raise ConfigurationError(msg, remedy="give the path of a UTF-8 file") from exc

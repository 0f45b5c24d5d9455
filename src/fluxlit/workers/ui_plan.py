"""Whose UI a process is to serve, and how: one frozen value, light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluxlit.config import FluxlitSettings
from fluxlit.workers.spec import WorkerSpec

if TYPE_CHECKING:
    from fluxlit._streamlit.sources import SourceEdits


@dataclass(frozen=True, slots=True)
class UIPlan:
    """Whose UI is to be served, and how.

    Attributes:
        spec: What the process was told.
        settings: The app's settings.
        script: The existing Streamlit script that is served; None for the app's pages.
        icons: Pages have icons.
        is_guest: The process is not one of ours: what is set in it is set back at the end.
        edits: Tells the open pages of edits; None for an app that stays as it is.
        on_error: Shows what a script raises; None leaves it to Streamlit.
    """

    spec: WorkerSpec
    settings: FluxlitSettings
    script: Path | None = None
    icons: bool = False
    is_guest: bool = False
    edits: SourceEdits | None = None
    on_error: Callable[[Exception], bool] | None = None

    @property
    def base_path(self) -> str:
        """Public path of the UI, in normal form."""
        return self.settings.public_mount_path() + self.settings.ui_base()

    @property
    def secret(self) -> str:
        """The service's secret."""
        return self.settings.service_secret(self.spec.cookie_secret)

    @property
    def uses_sockets(self) -> bool:
        """Whether it is reached at Unix sockets in the run directory."""
        return self.settings.uses_unix_sockets() and not self.spec.alone

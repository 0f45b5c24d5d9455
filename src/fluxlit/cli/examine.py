"""What the commands share that look at an app without serving it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fluxlit._types import JsonValue

if TYPE_CHECKING:
    from fluxlit.app import FluxLit


def load_with_flags(target: str | None, overrides: Mapping[str, JsonValue]) -> tuple[str, FluxLit]:
    """Import the app as a worker would, with the settings of the command line.

    Args:
        target: As it was said; None for the project file's.
        overrides: Settings that flags said.

    Returns:
        The target in full, and the app.

    Raises:
        ConfigurationError: The target does not lead to an app, or a value is not allowed.
    """
    from fluxlit.runtime.loading import load_app  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    chosen = str(choose_target(target))
    app = load_app(chosen)
    app.override_settings(overrides)
    return chosen, app

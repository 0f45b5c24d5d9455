"""What an app's constructor is given, checked and merged into its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from fluxlit.config import FluxlitSettings
from fluxlit.exceptions import ConfigurationError

SettingsT = TypeVar("SettingsT", bound=FluxlitSettings)


def with_arguments(
    settings: SettingsT,
    title: str | None,
    run_args: Sequence[str] | None,
    page_config: Mapping[str, Any] | None,
) -> SettingsT:
    """Merge a constructor's arguments into a copy: another app may share the settings object.

    Args:
        settings: The app's settings.
        title: Name of the app; None keeps the settings' own.
        run_args: Added to the settings' arguments for Streamlit.
        page_config: Merged over the settings' page configuration.
    """
    changed: dict[str, Any] = {} if title is None else {"title": title}
    if run_args:
        changed["streamlit_run_cli_args"] = [*settings.streamlit_run_cli_args, *run_args]
    if page_config:
        changed["streamlit_page_config"] = {**settings.streamlit_page_config, **page_config}
    return settings.model_copy(update=changed)


def existing_script(script: str | Path | None) -> Path | None:
    """Return the absolute path of a script.

    Raises:
        ConfigurationError: There is none.
    """
    if script is None:
        return None
    path = Path(script).resolve()
    if not path.is_file():
        msg = f"streamlit_script {str(script)!r} does not exist (looked for {path})"
        raise ConfigurationError(msg, remedy="give a path relative to the working directory")
    return path

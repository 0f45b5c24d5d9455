"""Settings: what can be configured, where values come from, and the project file.

Imported when used: the supervisor reads the project file and needs no settings class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxlit._lazy import lazy_face

if TYPE_CHECKING:
    from fluxlit._types import JsonValue
    from fluxlit.config.loading import load_settings
    from fluxlit.config.project import (
        ProjectConfig,
        load_project_config,
        resolve_binding,
        resolve_target,
    )
    from fluxlit.config.settings import FluxlitSettings

__all__ = [
    "FluxlitSettings",
    "JsonValue",
    "ProjectConfig",
    "load_project_config",
    "load_settings",
    "resolve_binding",
    "resolve_target",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "FluxlitSettings": "fluxlit.config.settings",
        "JsonValue": "fluxlit._types",
        "ProjectConfig": "fluxlit.config.project",
        "load_project_config": "fluxlit.config.project",
        "load_settings": "fluxlit.config.loading",
        "resolve_binding": "fluxlit.config.project",
        "resolve_target": "fluxlit.config.project",
    },
)

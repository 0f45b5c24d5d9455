"""Settings: what can be configured, where values come from, and the project file."""

from __future__ import annotations

from fluxlit._types import JsonValue
from fluxlit.config.project import (
    ProjectConfig,
    load_project_config,
    resolve_binding,
    resolve_target,
)
from fluxlit.config.settings import FluxlitSettings, load_settings

__all__ = [
    "FluxlitSettings",
    "JsonValue",
    "ProjectConfig",
    "load_project_config",
    "load_settings",
    "resolve_binding",
    "resolve_target",
]

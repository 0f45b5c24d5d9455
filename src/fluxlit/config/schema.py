"""The JSON schema of the project file, by which editors complete and check ``fluxlit.toml``."""

from __future__ import annotations

from fluxlit._types import JsonValue
from fluxlit.config.files import TARGET_KEY
from fluxlit.config.settings import FluxlitSettings

_ABOUT = frozenset({"title", "description", "default"})
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def project_file_schema(
    settings_cls: type[FluxlitSettings] = FluxlitSettings,
) -> dict[str, JsonValue]:
    """Return the schema of ``fluxlit.toml``.

    Args:
        settings_cls: The app's settings, which may have more than the common ones.
    """
    schema: dict[str, JsonValue] = settings_cls.model_json_schema()
    properties = schema.get("properties")
    assert isinstance(properties, dict)  # noqa: S101 - that is what a model's schema is
    target: JsonValue = {
        "type": "string",
        "title": "Target",
        "description": "Where the app is: module:attribute, file.py:attribute or a script.",
        "examples": ["app:app"],
    }
    return {
        **schema,
        "$schema": DIALECT,
        "title": "fluxlit.toml",
        "description": "The project file of FluxLit; the same keys stand under [tool.fluxlit].",
        "properties": {TARGET_KEY: target, **{k: _listable(v) for k, v in properties.items()}},
        "additionalProperties": False,
    }


def _listable(value: JsonValue) -> JsonValue:
    """Let a list be written as text, separated by commas, as the settings do."""
    if isinstance(value, dict) and value.get("type") == "array":
        item = {key: part for key, part in value.items() if key not in _ABOUT}
        about = {key: part for key, part in value.items() if key in _ABOUT}
        return about | {"anyOf": [item, {"type": "string"}]}
    return value

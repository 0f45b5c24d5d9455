"""All about one setting: what it does, its value, and every source that has something to say."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path

from fluxlit._types import JsonValue
from fluxlit.config.files import read_project_file
from fluxlit.config.loading import sources_of
from fluxlit.config.provenance import Kind, locate, note_origins
from fluxlit.config.settings import FluxlitSettings
from fluxlit.config.snapshot import redacted, redacted_settings
from fluxlit.config.sources import variables_of
from fluxlit.exceptions import ConfigurationError


def find_setting(key: str, settings_cls: type[FluxlitSettings]) -> str:
    """Find a setting by its name or its variable, however it is spelt.

    Raises:
        ConfigurationError: There is no such setting; the remedy names the nearest.

    Example:
        >>> find_setting("FLUXLIT_GATEWAY_PORT", FluxlitSettings)
        'gateway_port'
    """
    asked = key.strip().lower().replace("-", "_")
    spelt = {variable.lower(): name for name, variable in variables_of(settings_cls).items()}
    spelt |= {name.lower(): name for name in settings_cls.model_fields}
    if asked in spelt:
        return spelt[asked]
    near = [spelt[name] for name in difflib.get_close_matches(asked, spelt, n=1)]
    remedy = f"did you mean {near[0]}?" if near else "`fluxlit config` lists them all"
    raise ConfigurationError(f"there is no setting {key!r}", remedy=remedy)


def explain(key: str, settings: FluxlitSettings, directory: Path) -> dict[str, JsonValue]:
    """Explain one setting, as ``fluxlit config --explain --json`` prints it.

    ``explain.schema.json`` describes it.

    Args:
        key: Its name or variable.
        settings: The effective settings.
        directory: Where the files are.

    Raises:
        ConfigurationError: There is no such setting.
    """
    name = find_setting(key, type(settings))
    field = type(settings).model_fields[name]
    default = field.get_default(call_default_factory=True)
    return {
        "setting": name,
        "variable": variables_of(type(settings))[name],
        "is": field.description or "",
        "default": redacted(name, json.loads(json.dumps(default, default=str)), field),
        "value": redacted_settings(settings)[name],
        "from": str(locate(settings.origin(name), directory)),
        "hides": list(_hidden(name, settings, directory)),
    }


def _hidden(name: str, settings: FluxlitSettings, directory: Path) -> Iterator[str]:
    """Name the sources that would decide if those before them were silent."""
    cls = type(settings)
    decides = settings.origin(name).kind
    order = list(Kind)
    for kind, values in sources_of(cls, {}).items():
        if order.index(kind) > order.index(decides):
            noted = note_origins(
                variables_of(cls), {kind: values}, read_project_file(directory).name
            )
            if name in noted:
                yield str(locate(noted[name], directory))

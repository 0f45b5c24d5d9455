"""The documentation names what exists, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from fluxlit import FluxlitSettings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(\w+)` \| `FLUXLIT_(\w+)` \| `(.*?)` \|", re.MULTILINE)


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    rows = {name: (variable, default) for name, variable, default in ROW.findall(PAGE.read_text())}
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in FluxlitSettings.model_fields.items()
    }
    assert rows == {
        name: (name.upper(), str(default) if default != "" else '""')
        for name, default in defaults.items()
    }

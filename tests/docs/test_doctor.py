"""The doctor's page has every rule, with its row and its level."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from fluxlit.cli import app
from fluxlit.config.rules import RULES

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r'^\| <a id="(\w+)"></a>`(\w+)` \| `([\w.]+)` \| (\w+) \|', re.MULTILINE)


def test_every_rule_is_explained_where_findings_point() -> None:
    rows = ROW.findall((DOCS / "doctor.md").read_text(encoding="utf-8"))
    assert rows == [(it.name, it.name, it.check, it.level.name.lower()) for it in RULES]


def test_every_command_is_on_the_page_of_the_command_line() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    commands = getattr(get_command(app), "commands", {})
    assert [name for name in commands if f"`fluxlit {name}" not in text] == []

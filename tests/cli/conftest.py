from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from fluxlit.cli import app

_numbers = itertools.count()

MINIMAL = "from fluxlit import FluxLit\napp = FluxLit()\n"


@dataclass
class Desk:
    """A user's directory with one app, and the command line in it."""

    folder: Path
    module: str

    @property
    def target(self) -> str:
        return f"{self.module}:app"

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run ``fluxlit``; the exit status, and what it wrote to both streams."""
        runner = CliRunner(env={"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"})
        result = runner.invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def json(self, command: str, *arguments: str) -> tuple[int, Any]:
        """Run a command with ``--json`` and hold what it prints to its schema."""
        status, out, _ = self.run(command, self.target, "--json", *arguments)
        payload = json.loads(out)
        jsonschema.validate(payload, schema(command))
        return status, payload


def schema(command: str) -> Any:
    text = (files("fluxlit.cli") / "schemas" / f"{command}.schema.json").read_text("utf-8")
    return json.loads(text)


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeDesk]:
    """Make a directory with an app of a name that no other test has imported."""
    for name in list(os.environ):
        if name.startswith(("FLUXLIT_", "STREAMLIT_")) or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)

    def make(code: str = MINIMAL, **others: str) -> Desk:
        module = f"desk_of_test_{next(_numbers)}"
        (tmp_path / f"{module}.py").write_text(code)
        for name, text in others.items():
            (tmp_path / {"toml": "fluxlit.toml", "env": ".env"}[name]).write_text(text)
        return Desk(tmp_path, module)

    yield make
    sys.path[:] = path

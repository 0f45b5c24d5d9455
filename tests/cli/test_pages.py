from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fluxlit.cli import app
from fluxlit.pages.manifest import manifest_schema

DESK = """
from fluxlit import FluxLit, NavigationModel
app = FluxLit(title="Desk")
@app.page("/", icon="🏠")
def home(st, limit: int = 3):
    "Everything at a glance."
{more}
"""


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    file = tmp_path / f"desk_{abs(hash(request.node.name))}.py"
    file.write_text(DESK.replace("{more}", getattr(request, "param", "")), encoding="utf-8")
    return f"{file}:app"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["pages", *words])
    return result.exit_code, result.output


def test_the_manifest_is_json(desk: str) -> None:
    status, printed = run("manifest", "--target", desk)
    assert status == 0
    found = json.loads(printed)
    assert (found["title"], found["pages"][0]["description"]) == ("Desk", "Everything at a glance.")
    assert "🏠" in printed


def test_the_schema_of_the_manifest_is_printed() -> None:
    status, printed = run("manifest", "--schema")
    assert (status, json.loads(printed)) == (0, manifest_schema())


def test_validation_is_silent_when_all_is_well(desk: str) -> None:
    assert run("validate", "--target", desk) == (0, "")
    assert run("validate", desk) == (0, "")


def test_the_target_is_named_once(desk: str) -> None:
    assert run("manifest", desk) == run("manifest", "--target", desk)
    status, printed = run("validate", desk, "--target", desk)
    assert status == 2
    assert "given already" in printed


def test_strict_validation_tells_and_fails(desk: str) -> None:
    status, printed = run("validate", "--strict", "--target", desk)
    assert status == 1
    assert printed.startswith("/: home: Unknown page parameter 'limit: int'")


@pytest.mark.parametrize("desk", ["app.navigation(NavigationModel(order=('/x',)))"], indirect=True)
def test_what_is_wrong_is_told_a_line_each(desk: str) -> None:
    expected = "NavigationModel.order: unknown path '/x'\n"
    assert run("validate", "--target", desk) == (1, expected)

"""The contract with Streamlit: each private name that the package uses exists in this release."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit

from fluxlit._streamlit import seams
from fluxlit._streamlit.seams import SEAMS, Seam, missing_seams

ROOM = Path(seams.__file__).parent


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: f"{seam.module}.{seam.name}")
def test_the_installed_streamlit_has(seam: Seam) -> None:
    assert not seam.missing(), f"Streamlit {streamlit.__version__} lacks it; without it: {seam.why}"


def test_a_name_that_went_away_is_found() -> None:
    assert Seam("streamlit.config", "no_such_name", "nothing").missing()
    assert Seam("streamlit.no_such_module", "x", "nothing").missing()
    assert missing_seams() == []


def test_every_private_import_of_the_room_is_listed() -> None:
    listed = {(seam.module, seam.name.split(".")[0]) for seam in SEAMS}
    public = {("streamlit", "config"), ("streamlit.web", "bootstrap")}
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit"):
                used = {(node.module, name.name) for name in node.names}
                assert used <= listed | public, f"{file.name} uses {used - listed}"


def test_the_names_are_found_whatever_was_imported_before() -> None:
    code = "from fluxlit._streamlit.seams import missing_seams; print(missing_seams())"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "[]\n"

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluxlit.exceptions import TargetError
from fluxlit.runtime.targets import Target, parse_target, source_folder

MADE = [
    ("app = FluxLit()", "app"),
    ("site = FluxLit(title='x')", "site"),
    ("app: FluxLit = FluxLit()", "app"),
    ("app: FluxLit[Mine] = FluxLit[Mine](settings=Mine())", "app"),
    ("app = fluxlit.FluxLit()", "app"),
    ("app = fluxlit.FluxLit[Mine]()", "app"),
    ("application = app = FluxLit()", "application"),
    ("import x\nif x:\n    pass\nfirst = 1\nsecond = FluxLit()\nthird = FluxLit()", "second"),
    ("# -*- coding: latin-1 -*-\nname = 'é'\napp = FluxLit()", "app"),
    ("\ufeffapp = FluxLit()", "app"),
]
NOT_MADE = [
    "",
    "import streamlit as st\nst.title('x')",
    "def make():\n    app = FluxLit()\n",
    "app = other()",
    "app = FluxLit",
    "app: FluxLit",
    "a, b = FluxLit(), 1",
    "x.app = FluxLit()",
    "'app = FluxLit()'",
]


@pytest.mark.parametrize("text", ["app:app", "pkg.module:app", " a.b.c:site.admin "])
def test_a_module_is_read_without_being_looked_for(text: str) -> None:
    target = parse_target(text)
    assert str(target) == text.strip()
    assert target.file is None
    assert not target.is_script
    assert source_folder(target) == Path.cwd()


@pytest.mark.parametrize(
    "text",
    ["", "app", ":app", "app:", "a:b:c", "a.py:b:c", ".app:app", "a..b:app", "my-app:app", "a:1"],
)
def test_what_is_no_target_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(TargetError, match="is not a target") as caught:
        parse_target(text)
    assert "module:attribute" in caught.value.remedy


@pytest.mark.parametrize(("code", "name"), MADE)
def test_a_file_is_searched_for_its_app(tmp_path: Path, code: str, name: str) -> None:
    file = tmp_path / "main.py"
    file.write_bytes(code.encode("latin-1" if "latin" in code else "utf-8"))
    assert parse_target(str(file)) == Target("main", name, file)


@pytest.mark.parametrize("code", NOT_MADE)
def test_a_file_without_an_app_is_a_script(tmp_path: Path, code: str) -> None:
    file = tmp_path / "dashboard.py"
    file.write_text(code)
    target = parse_target(str(file))
    assert target.is_script
    assert parse_target(str(target)) == target


def test_an_attribute_of_a_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    file.write_text("one = FluxLit()\ntwo = make()")
    target = parse_target(f"{file}:two")
    assert target == Target("main", "two", file)
    assert parse_target(str(target)) == target
    assert source_folder(target) == tmp_path


def test_a_relative_path_is_made_absolute(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("app = FluxLit()")
    relative = os.path.relpath(tmp_path / "main.py")
    assert parse_target(relative).file == (tmp_path / "main.py").resolve()


def test_a_colon_in_a_folder_is_no_attribute(tmp_path: Path) -> None:
    folder = tmp_path / "10:30"
    folder.mkdir()
    (folder / "dash.py").write_text("")
    assert parse_target(str(folder / "dash.py")).is_script


def test_a_file_in_a_package_has_its_full_name_so_that_relative_imports_work(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (folder / "app.py").write_text("from . import x\napp = FluxLit()")
    target = parse_target(str(folder / "app.py"))
    assert target.module == "outer.inner.app"
    assert source_folder(target) == tmp_path


def test_a_file_that_is_missing_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist") as caught:
        parse_target(str(tmp_path / "nothing.py"))
    assert str(tmp_path / "nothing.py") in caught.value.remedy


@pytest.mark.parametrize("content", [b"def (:", b"app = '\xff'", b"app = 1\0"])
def test_a_file_that_python_cannot_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.py"
    file.write_bytes(content)
    with pytest.raises(TargetError, match=r"cannot read broken\.py"):
        parse_target(str(file))

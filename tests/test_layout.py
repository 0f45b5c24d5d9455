"""The shape of the source, as far as the layers contract in pyproject.toml does not hold it."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[1] / "src"
LONGEST_FILE = 330
LONGEST_FUNCTION = 60
FROM_APP_UP = ("fluxlit.app", "fluxlit.cli", "fluxlit.demo", "fluxlit.runtime")


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Source(NamedTuple):
    """One file of the package."""

    path: Path
    tree: ast.Module

    def __str__(self) -> str:
        return str(self.path.relative_to(SOURCE))


SOURCES = {
    module_name(path): Source(path, ast.parse(path.read_text(encoding="utf-8")))
    for path in sorted(SOURCE.rglob("*.py"))
}


class Import(NamedTuple):
    """``from module import name``, or ``import module`` with the name empty."""

    module: str
    name: str

    def imported_file(self) -> str:
        whole = f"{self.module}.{self.name}"
        return whole if whole in SOURCES else self.module


def imports(source: Source) -> Iterator[Import]:
    """Every import of the package's own files, those in functions and for types included."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module in SOURCES:
            yield from (Import(node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (Import(item.name, "") for item in node.names if item.name in SOURCES)


def test_the_sources_were_found() -> None:
    assert {"fluxlit", "fluxlit.app", "fluxlit.gateway"} <= SOURCES.keys()
    assert len(list(imports(SOURCES["fluxlit.app"]))) > 5


def test_no_circle_of_imports() -> None:
    arrows = {
        name: {arrow.imported_file() for arrow in imports(source)} - {name}
        for name, source in SOURCES.items()
    }
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_file_is_too_long() -> None:
    lengths = {str(it): len(it.path.read_text("utf-8").splitlines()) for it in SOURCES.values()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{source}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in SOURCES.values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_private_names_stay_in_their_file() -> None:
    taken = {
        f"{source} takes {arrow.name} from {arrow.module}"
        for source in SOURCES.values()
        for arrow in imports(source)
        # Files may be private, too; their neighbours use them.
        if arrow.name.startswith("_")
        and not arrow.name.endswith("__")
        and arrow.imported_file() == arrow.module
    }
    assert taken == set()


def test_nobody_below_takes_the_app_by_another_way() -> None:
    """The package's face and imports by name are arrows that the layers contract does not see."""
    below = {
        name: source
        for name, source in SOURCES.items()
        if name != "fluxlit" and not name.startswith(FROM_APP_UP)
    }
    by_face = {
        f"{source} takes {arrow.name} from fluxlit"
        for source in below.values()
        for arrow in imports(source)
        if arrow.imported_file() == "fluxlit"
    }
    by_string = {
        f"{source}:{node.lineno} {node.value}"
        for source in below.values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and node.value == "fluxlit.app"
    }
    assert by_face | by_string == set()

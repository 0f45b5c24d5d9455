"""What a target says, read without importing it: the supervisor needs no more."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from fluxlit.config.project import load_project_config, resolve_target
from fluxlit.exceptions import TargetError


@dataclass(frozen=True, slots=True)
class Target:
    """Where an app is, read but not yet imported.

    Attributes:
        module: Dotted name of the module; for a file, as its packages have it.
        attribute: Name in the module; empty for a bare Streamlit script.
        file: The file, if the target is one.
    """

    module: str
    attribute: str
    file: Path | None = None

    def __str__(self) -> str:
        """Return the target as text that :func:`parse_target` reads without searching."""
        place = str(self.file) if self.file else self.module
        return f"{place}:{self.attribute}" if self.attribute else place

    @property
    def is_script(self) -> bool:
        """Whether this is a Streamlit script without a FluxLit object."""
        return self.file is not None and not self.attribute


def parse_target(text: str) -> Target:
    """Read a target.

    A ``.py`` file without ``:attribute`` is searched, as text, for a ``name = FluxLit(...)`` at
    its top level; a file without one is a Streamlit script. Nothing is imported.

    Args:
        text: ``module:attribute``, ``file.py:attribute`` or ``file.py``.

    Raises:
        TargetError: The text is neither, or the file does not exist.
    """
    text = text.strip()
    place, _, attribute = (text, "", "") if text.endswith(".py") else text.rpartition(":")
    if place.endswith(".py") and (not attribute or _is_dotted(attribute)):
        return _file_target(place, attribute)
    if _is_dotted(place) and _is_dotted(attribute):
        return Target(place, attribute)
    msg = f"{text!r} is not a target"
    raise TargetError(msg, remedy='write "module:attribute", "file.py:attribute" or "file.py"')


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _file_target(place: str, attribute: str) -> Target:
    file = Path(place).resolve()
    if not file.is_file():
        msg = f"the file {place} does not exist"
        raise TargetError(msg, remedy=f"looked for {file}; check the working directory")
    root, module = file.parent, file.stem
    while (root / "__init__.py").is_file():  # so that relative imports work in it
        root, module = root.parent, f"{root.name}.{module}"
    attribute = attribute or find_made(file, "FluxLit")
    return Target(module if attribute else file.stem, attribute, file)


def find_made(file: Path, class_name: str) -> str:
    """Return the name that a file's top level gives to a ``ClassName(...)``, or ``""``.

    The file is read, not imported.

    Raises:
        TargetError: The file is no Python.
    """
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError, OSError) as exc:
        msg = f"cannot read {file.name}: {exc}"
        raise TargetError(msg, remedy="correct the file") from exc
    for statement in tree.body:
        name, value = _assignment(statement)
        if name and _makes(value, class_name):
            return name
    return ""


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name), *_], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
    return "", None


def _makes(value: ast.expr | None, class_name: str) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func.value if isinstance(value.func, ast.Subscript) else value.func
    match called:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == class_name
    return False


def source_folder(target: Target) -> Path:
    """Return the folder that a target's own modules are imported from."""
    return target.file.parents[target.module.count(".")] if target.file else Path.cwd()


def choose_target(given: str | None) -> Target:
    """Choose and read the target: what was given, the project file's, or ``app:app``.

    Raises:
        ConfigurationError: The project file is broken, or the target is none.
    """
    return parse_target(resolve_target(given, load_project_config()))

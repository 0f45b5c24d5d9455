"""What there is to adopt: an existing Streamlit script, an existing FastAPI app, or both."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fluxlit.exceptions import FluxLitError, TargetError
from fluxlit.runtime.targets import find_made


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a folder holds that FluxLit can serve.

    Attributes:
        script: A Streamlit script, from the folder on; empty for none.
        module: Dotted module of a FastAPI app; empty for none.
        attribute: Its name there.
    """

    script: str = ""
    module: str = ""
    attribute: str = ""

    def words(self) -> dict[str, str]:
        """Return what the templates of the profile say of it."""
        arguments, imports, told = [], ["from fluxlit import FluxLit"], []
        if self.module:
            imports.append(f"from {self.module} import {self.attribute} as api")
            arguments.append("api=api")
            told.append(f"* the FastAPI app `{self.module}:{self.attribute}`")
        if self.script:
            imports[:0] = ["from pathlib import Path", ""]
            path = json.dumps(Path(self.script).as_posix(), ensure_ascii=False)
            arguments.append(f"streamlit_script=Path(__file__).parent / {path}")
            told.append(f"* the Streamlit script `{self.script}`")
        return {
            "imports": "\n".join(imports),
            "arguments": ", ".join(arguments),
            "adopted": "\n".join(told),
        }


def look(folder: Path, script: str | None, api: str | None) -> Adopted:
    """Find what there is, as far as it was not said. Nothing is imported.

    Args:
        folder: Where to look.
        script: The Streamlit script, from the folder on, if it was said.
        api: ``module:attribute`` of the FastAPI app, if it was said.

    Raises:
        FluxLitError: There is nothing, or too much to choose from.
    """
    said = script is not None or api is not None
    module, _, attribute = (api or "").partition(":")
    if not said:
        sources = sorted(folder.glob("*.py"))
        script = _only("--script", [file.name for file in sources if _is_script(file)])
        apis = [(file.stem, name) for file in sources if (name := _made(file, "FastAPI"))]
        module, _, attribute = _only("--api", [":".join(found) for found in apis]).partition(":")
    if script and not (folder / script).is_file():
        raise FluxLitError(f"there is no {folder / script}")
    is_name = all(map(str.isidentifier, (*module.split("."), attribute)))
    if (module or api) and not is_name:
        raise FluxLitError(f"{api!r} is not module:attribute", remedy="such as --api main:app")
    if not (script or module):
        msg = f"nothing to adopt in {folder}: no Streamlit script, no FastAPI app"
        raise FluxLitError(msg, remedy="name them: --script dashboard.py --api main:app")
    return Adopted(script or "", module, attribute)


def _only(option: str, found: list[str]) -> str:
    if len(found) > 1:
        raise FluxLitError(f"found {', '.join(found)}", remedy=f"choose: {option} {found[0]}")
    return found[0] if found else ""


def _is_script(file: Path) -> bool:
    """Tell whether a file is a Streamlit script: imports Streamlit, makes no FluxLit app."""
    return "streamlit" in set(_imports(file)) and not _made(file, "FluxLit")


def _made(file: Path, class_name: str) -> str:
    try:
        return find_made(file, class_name)
    except TargetError:  # no Python that could be read: nothing to adopt
        return ""


def _imports(file: Path) -> Iterator[str]:
    """Find the packages that a file imports at its top level."""
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError, OSError):
        return
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (name.name.partition(".")[0] for name in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module.partition(".")[0]

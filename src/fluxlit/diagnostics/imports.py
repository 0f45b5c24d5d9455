"""Can the app be imported, from where, and does something stand in the way?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fluxlit.config.findings import Finding, Level, passed
from fluxlit.diagnostics.subject import Subject
from fluxlit.runtime.targets import parse_target

OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)
"""The versions of Python that are tried."""

LIBRARIES: Final = frozenset(
    {"fastapi", "fluxlit", "numpy", "pandas", "pydantic", "starlette", "streamlit", "uvicorn"}
)
"""What a file of the user's own must not be called, beside the standard library's names."""

_HARMLESS: Final = frozenset({"test", "this", "antigravity"})


def python_version(_: Subject) -> Iterator[Finding]:
    """Look at the interpreter."""
    version = sys.version_info[:2]
    text = f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    if version < OLDEST:
        remedy = f"use Python {_dotted(OLDEST)} to {_dotted(NEWEST)}"
        yield Finding("python_version", Level.ERROR, f"{text} is too old", remedy)
    elif version > NEWEST:
        message = f"{text} is newer than what FluxLit is tried with"
        yield Finding("python_version", Level.WARNING, message, f"prefer {_dotted(NEWEST)}")
    else:
        yield passed("python_version", text)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def sys_path_head(subject: Subject) -> Iterator[Finding]:
    """Tell where modules are looked for first."""
    yield passed("sys_path_head", f"modules of the app come from {subject.folder}")


def import_shadowing(subject: Subject) -> Iterator[Finding]:
    """Look for files that hide a module of Python or of a library."""
    shadows = sorted(_shadows(subject.folder))
    if not shadows:
        yield passed("import_shadowing", "no file hides a module of Python or a library")
        return
    message = f"{', '.join(shadows)} in {subject.folder}: whoever imports that name gets this file"
    yield Finding("import_shadowing", Level.WARNING, message, "give it another name")


def _shadows(folder: Path) -> Iterator[str]:
    """Find what hides a module: ``name.py``, or ``name/`` with an ``__init__.py``."""
    taken = (sys.stdlib_module_names | LIBRARIES) - _HARMLESS
    for entry in folder.iterdir() if folder.is_dir() else ():
        is_module = entry.suffix == ".py" and entry.is_file()
        is_package = entry.is_dir() and (entry / "__init__.py").is_file()
        if (is_module or is_package) and entry.stem in taken:
            yield entry.name


def import_target(subject: Subject) -> Iterator[Finding]:
    """Tell whether the target leads to an app."""
    if subject.failure is None:
        yield passed("import_target", f"{subject.target} is a FluxLit app")
    else:
        failure = subject.failure
        yield Finding("import_target", Level.ERROR, failure.message, failure.remedy)


def import_module_file(subject: Subject) -> Iterator[Finding]:
    """Tell which file was imported."""
    if subject.failure is not None:
        return
    target = parse_target(subject.target)
    found = target.file or getattr(sys.modules.get(target.module), "__file__", None)
    yield passed("import_module_file", str(found or "built in"))

"""Which source gave a setting its value, down to the line of a file. Pure, but for :func:`locate`.

The sources note it while settings are made (``sources.py``); lines are looked up when somebody
asks, because nearly nobody does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

ENV_PREFIX: Final = "FLUXLIT_"
DOTENV: Final = ".env"
PLATFORM_URL: Final = "PUBLIC_BASE_URL"
"""The variable by which hosting platforms tell an app its address."""

FLAGS: Final = {
    "debug": "--debug",
    "forwarded_allow_ips": "--forwarded-allow-ips",
    "gateway_host": "--host",
    "gateway_port": "--port",
    "log_level": "--log-level",
    "streamlit_host": "--host",
    "streamlit_port": "--port",
    "trust_proxy": "--proxy-headers",
    "ui_mode": "--ui-mode",
    "ui_workers": "--ui-workers",
}
"""The flags of the command line that say a setting."""


class Kind(StrEnum):
    """The sources, the deciding one first."""

    FLAG = "flag"
    CODE = "code"
    VARIABLE = "variable"
    DOTENV = "dotenv"
    SECRET_FILE = "secret_file"  # noqa: S105 - the name of a source
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value comes from.

    Attributes:
        kind: The source.
        name: What the value is called there: flag, argument, variable or key.
        file: The file as messages call it; empty for a source that is none.
        line: Line of the file, from 1; 0 when it is not known.
    """

    kind: Kind
    name: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Return the origin as a person reads it.

        >>> str(Origin(Kind.DOTENV, "FLUXLIT_TITLE", ".env", 3)), str(Origin(Kind.DEFAULT))
        ('FLUXLIT_TITLE in .env, line 3', 'default')
        """
        if self.kind is Kind.DEFAULT:
            return "default"
        what = f"argument {self.name}" if self.kind is Kind.CODE else self.name
        where = f" in {self.file}" if self.file else ""
        return f"{what}{where}, line {self.line}" if self.line else f"{what}{where}"


DEFAULT: Final = Origin(Kind.DEFAULT)


def note_origins(
    variables: Mapping[str, str], sources: Mapping[Kind, Mapping[str, object]], file: str
) -> dict[str, Origin]:
    """Note for each setting which source knew it first.

    Args:
        variables: Name of each setting, with the variable that sets it.
        sources: What each source gave, in the order in which they decide.
        file: Name of the project file.

    Returns:
        The origins of those settings that some source knew.
    """
    noted: dict[str, Origin] = {}
    for field, variable in variables.items():
        for kind, values in sources.items():
            if field in values or variable in values:
                noted[field] = _origin(kind, field, variable, file)
                break
    return noted


def _origin(kind: Kind, field: str, variable: str, file: str) -> Origin:
    match kind:
        case Kind.VARIABLE:
            return Origin(kind, variable)
        case Kind.DOTENV:
            return Origin(kind, variable, DOTENV)
        case Kind.FILE:
            return Origin(kind, field, file)
        case Kind.SECRET_FILE:
            return Origin(kind, variable, "the secrets directory")
    return said(kind, field)


def said(kind: Kind, field: str) -> Origin:
    """Return the origin of a setting that code or the command line gave.

    >>> str(said(Kind.FLAG, "gateway_port")), str(said(Kind.CODE, "gateway_port"))
    ('--port', 'argument gateway_port')
    """
    return Origin(kind, FLAGS.get(field, field) if kind is Kind.FLAG else field)


def locate(origin: Origin, directory: Path) -> Origin:
    """Add the line to an origin that is a file of *directory*, where it can be found."""
    name, _, table = origin.file.partition(" ")
    if origin.kind not in {Kind.DOTENV, Kind.FILE}:
        return origin
    try:
        text = (directory / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return origin
    if origin.kind is Kind.DOTENV:
        return replace(origin, line=dotenv_line(text, origin.name))
    return replace(origin, line=toml_line(text, origin.name, table.strip("[]")))


def dotenv_line(text: str, variable: str) -> int:
    r"""Return the line that sets a variable, the last one if there are several; 0 for none.

    >>> dotenv_line("A=1\nexport fluxlit_title = x\n", "FLUXLIT_TITLE")
    2
    """
    pattern = re.compile(rf"\s*(?:export\s+)?['\"]?{re.escape(variable)}['\"]?\s*=", re.IGNORECASE)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)]
    return lines[-1] if lines else 0


def toml_line(text: str, key: str, table: str = "") -> int:
    r"""Return the line on which a key of a table begins: ``key =`` or ``[table.key]``; 0 if none.

    >>> toml_line("[tool.x]\na = 1\n[tool.fluxlit]\na = 2\n", "a", "tool.fluxlit")
    4
    """
    named = rf"['\"]?{re.escape(key)}['\"]?"
    header = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
    entry = re.compile(rf"\s*{named}\s*[.=]")
    whole = f"{table}.{key}" if table else key
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := header.match(line):
            current = re.sub(r"['\"\s]", "", found[1])
            if current == whole or current.startswith(f"{whole}."):
                return number
        elif current == table and entry.match(line):
            return number
    return 0

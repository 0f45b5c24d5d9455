"""The project file: ``fluxlit.toml``, or the ``[tool.fluxlit]`` table of ``pyproject.toml``.

One of the two is read, ``fluxlit.toml`` first. A key that nobody knows is an error: it is nearly
always a typing mistake, and a setting that silently stays at its default is found much later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fluxlit.exceptions import ConfigurationError

TARGET_KEY = "target"
"""The one key of the file that is no setting: where the app is, as ``module:attribute``."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What a project file says.

    Attributes:
        name: How messages call it: its file name, with the table where there is one.
        values: Key to value, as TOML has it.
    """

    name: str = ""
    values: dict[str, object] = field(default_factory=dict)

    def check_keys(self, known: Iterable[str]) -> None:
        """Refuse keys that are neither in *known* nor the target.

        Raises:
            ConfigurationError: A key is unknown; names the file, the key and its nearest match.
        """
        allowed = {*known, TARGET_KEY}
        for key in self.values:
            if key not in allowed:
                raise ConfigurationError(
                    f"{self.name}: unknown key {key!r}", remedy=_suggest(key, allowed)
                )


def read_project_file(directory: Path) -> ProjectFile:
    """Read the project file of *directory*; an empty one when there is none.

    Raises:
        ConfigurationError: The file cannot be read or is not valid TOML.
    """
    own = directory / "fluxlit.toml"
    if own.is_file():
        return ProjectFile(own.name, _load(own))
    shared = directory / "pyproject.toml"
    if not shared.is_file():
        return ProjectFile()
    tool = _load(shared).get("tool")
    table = tool.get("fluxlit", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        msg = f"{shared.name}: tool.fluxlit must be a table"
        raise ConfigurationError(msg, remedy="write [tool.fluxlit] with the settings below it")
    return ProjectFile(f"{shared.name} [tool.fluxlit]", table)


def _load(path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - most processes have no such file to read

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:  # broken TOML or bytes that are not UTF-8; both say where
        msg = f"{path}: not valid TOML: {exc}"
        raise ConfigurationError(msg, remedy="correct that line") from exc
    except OSError as exc:
        msg = f"{path}: cannot be read: {exc.strerror or exc}"
        raise ConfigurationError(msg) from exc


def _suggest(key: str, allowed: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    near = difflib.get_close_matches(key.lower().replace("-", "_"), sorted(allowed), n=1)
    return f"did you mean {near[0]!r}?" if near else "remove it, or see the list of settings"

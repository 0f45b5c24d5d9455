"""What the command line needs before there is an app: the target and the address to bind.

The target is the project file's own; the address is an ordinary setting, so that the order of
sources (flag, environment, file, default) is decided in one place, by the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fluxlit.config.files import read_project_file
from fluxlit.exceptions import ConfigurationError

DEFAULT_TARGET: Final = "app:app"


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """What the project file says about starting the app; ``None`` where it is silent."""

    target: str | None = None
    gateway_host: str | None = None
    gateway_port: int | None = None
    log_level: str | None = None
    api_mount_path: str | None = None
    root_path: str | None = None


_KINDS: Final[dict[str, type]] = {
    "target": str,
    "gateway_host": str,
    "gateway_port": int,
    "log_level": str,
    "api_mount_path": str,
    "root_path": str,
}


def load_project_config(cwd: Path | None = None) -> ProjectConfig | None:
    """Read ``fluxlit.toml`` or ``[tool.fluxlit]``.

    Args:
        cwd: Where the file is; the working directory unless given.

    Returns:
        The file's words on starting the app, or ``None`` without a file that has any.

    Raises:
        ConfigurationError: The file is broken, or one of these keys has a value of a wrong kind.
    """
    file = read_project_file(cwd or Path.cwd())
    if not file.values:
        return None
    found = {key: file.values[key] for key in _KINDS if key in file.values}
    for key, value in found.items():
        if not isinstance(value, _KINDS[key]) or isinstance(value, bool):
            msg = f"{file.name}: {key} must be {_KINDS[key].__name__}, not {value!r}"
            raise ConfigurationError(msg, remedy="correct the value")
    return ProjectConfig(**found)  # type: ignore[arg-type]  # the loop above checked each kind


def expects_ui_workers(
    overrides: Mapping[str, object], environ: Mapping[str, str], file: Mapping[str, object]
) -> bool:
    """Guess, before the app is there, whether its UI is going to be in workers.

    The app's settings decide; a wrong guess costs a worker that is started in vain, or too late.

    >>> expects_ui_workers({}, {"FLUXLIT_UI_MODE": "remote"}, {})
    False
    """
    said = (overrides.get("ui_mode"), environ.get("FLUXLIT_UI_MODE"), file.get("ui_mode"))
    return next(filter(None, said), "sidecar") == "sidecar"


def resolve_target(cli_target: str | None, pc: ProjectConfig | None) -> str:
    """Choose the target: command line, project file, ``app:app``; blank counts as not given.

    >>> resolve_target(None, ProjectConfig(target="desk:app"))
    'desk:app'
    """
    return (cli_target or "").strip() or ((pc and pc.target) or "").strip() or DEFAULT_TARGET


def resolve_binding(  # noqa: PLR0913 - one keyword for each value it chooses between
    *,
    cli_host: str | None,
    cli_port: int | None,
    cli_log_level: str | None,
    pc: ProjectConfig | None,  # noqa: ARG001 - kept for callers; the settings have read that file
    settings_gateway_host: str,
    settings_gateway_port: int,
    settings_log_level: str,
) -> tuple[str, int, str]:
    """Choose host, port and log level: a flag decides, else the settings.

    Port 0 is a choice like any other. The settings already hold what the environment and the
    project file say, the environment first.

    >>> resolve_binding(cli_host=None, cli_port=0, cli_log_level=None, pc=None,
    ...     settings_gateway_host="127.0.0.1", settings_gateway_port=8000,
    ...     settings_log_level="info")
    ('127.0.0.1', 0, 'info')
    """
    return (
        cli_host or settings_gateway_host,
        settings_gateway_port if cli_port is None else cli_port,
        cli_log_level or settings_log_level,
    )

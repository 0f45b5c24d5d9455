"""Options that several commands have, once: each group is a dataclass, spread into a command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fluxlit import _env
from fluxlit._types import JsonValue

if TYPE_CHECKING:
    from fluxlit.runtime.reloading import Reload


class LogLevel(StrEnum):
    """What is worth a log line."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    TRACE = "trace"


TargetArgument = Annotated[
    str | None,
    typer.Argument(
        help="module:attribute, file.py:attribute, or a Streamlit script. Default: the project"
        " file's target, else app:app.",
        show_default=False,
    ),
]


HostOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST", help="Address to listen on; 127.0.0.1 if unset.", show_default=False
    ),
]
LogLevelOption = Annotated[
    LogLevel | None,
    typer.Option("--log-level", help="Least level to log; info if unset.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where to listen and how much to say."""

    host: HostOption = None
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Port; 8000 if unset, 0 for any.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None
    log_level: LogLevelOption = None

    def overrides(self) -> dict[str, JsonValue]:
        """Return what was said, as settings."""
        level = self.log_level.value if self.log_level else None
        said = {"gateway_host": self.host, "gateway_port": self.port, "log_level": level}
        return {name: value for name, value in said.items() if value is not None}


class UIModeName(StrEnum):
    """Where the UI runs."""

    SIDECAR = "sidecar"
    EMBEDDED = "embedded"
    REMOTE = "remote"


UIModeOption = Annotated[
    UIModeName | None,
    typer.Option(
        "--ui-mode",
        help="UI in workers, in the gateway's process, or at FLUXLIT_STREAMLIT_UPSTREAM; sidecar if"
        " unset.",
        show_default=False,
    ),
]


def mode_override(mode: UIModeName | None) -> dict[str, JsonValue]:
    """Return what was said about where the UI runs, as a setting."""
    return {} if mode is None else {"ui_mode": mode.value}


def _checked_workers(value: str | None) -> str | None:
    """Refuse what is neither a number from 1 on nor "auto"."""
    if value is None or value == "auto" or (value.isdecimal() and int(value)):
        return value
    msg = f'{value!r} is neither a number from 1 on nor "auto".'
    raise typer.BadParameter(msg)


@dataclass(frozen=True, slots=True)
class UIBinding:
    """Where UI workers for a gateway elsewhere listen, and how much to say."""

    host: HostOption = None
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="First worker's port, the others have the next; 8501 if unset.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None
    log_level: LogLevelOption = None

    def overrides(self) -> dict[str, JsonValue]:
        """Return what was said, as settings."""
        level = self.log_level.value if self.log_level else None
        said = {"streamlit_host": self.host, "streamlit_port": self.port, "log_level": level}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class UIScale:
    """How many UI workers there are."""

    ui_workers: Annotated[
        str | None,
        typer.Option(
            help="UI workers that share the visitors; auto: one for each core. 1 if unset.",
            metavar="N|auto",
            show_default=False,
            callback=_checked_workers,
        ),
    ] = None

    def overrides(self) -> dict[str, JsonValue]:
        """Return what was said, as settings."""
        said = self.ui_workers
        return {} if said is None else {"ui_workers": int(said) if said.isdecimal() else said}


class ReloadScope(StrEnum):
    """What an edit replaces."""

    GATEWAY = "gateway"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Reloading:
    """How to follow edits."""

    reload: Annotated[bool, typer.Option("--reload/--no-reload", help="Follow edits.")] = True
    reload_scope: Annotated[
        ReloadScope | None,
        typer.Option(
            help="What an edit replaces: gateway keeps open pages, full restarts the UI, too. If"
            " unset: full for settings, else gateway.",
            show_default=False,
        ),
    ] = None
    reload_dir: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Another folder to follow; may be repeated.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None

    def options(self) -> Reload | None:
        """Return how to follow edits; None for not at all."""
        from fluxlit.runtime.reloading import Reload  # noqa: PLC0415 - `--help` needs none of it
        from fluxlit.runtime.watching import Need  # noqa: PLC0415

        scope = Need[self.reload_scope.name] if self.reload_scope else None
        return Reload(scope, tuple(self.reload_dir or ())) if self.reload else None


@dataclass(frozen=True, slots=True)
class Scale(UIScale):
    """Which processes serve."""

    workers: Annotated[
        int, typer.Option(metavar="N", help="Gateway workers that share the port.", min=1)
    ] = 1
    ui_mode: UIModeOption = None

    def overrides(self) -> dict[str, JsonValue]:
        """Return what was said, as settings."""
        return {**UIScale.overrides(self), **mode_override(self.ui_mode)}


@dataclass(frozen=True, slots=True)
class Proxies:
    """Whom to believe about the visitor."""

    proxy_headers: Annotated[
        bool | None,
        typer.Option(
            "--proxy-headers/--no-proxy-headers",
            help="Believe X-Forwarded-* of the proxies in --forwarded-allow-ips.",
            show_default=False,
        ),
    ] = None
    forwarded_allow_ips: Annotated[
        str | None,
        typer.Option(
            metavar="IPS",
            help="Proxies to believe; 127.0.0.1,::1 if unset.",
            show_default=False,
        ),
    ] = None

    def overrides(self) -> dict[str, JsonValue]:
        """Return what was said, as settings."""
        said = {"trust_proxy": self.proxy_headers, "forwarded_allow_ips": self.forwarded_allow_ips}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PidFile:
    """Where the pid file is."""

    pidfile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Pid file; .fluxlit-dev.pid if unset (.fluxlit-ui.pid for `ui`).",
            show_default=False,
        ),
    ] = None
    no_pidfile: Annotated[
        bool, typer.Option("--no-pidfile", help="Write no pid file.", show_default=False)
    ] = False

    def path(self, default: str | None = None) -> Path | None:
        """Return where to write it, by default under that name; None for nowhere."""
        from fluxlit.runtime.pidfile import DEFAULT_NAME, pidfile_path  # noqa: PLC0415 - `--help` needs none of it

        unwanted = self.pidfile is None and _env.is_truthy(os.environ.get(_env.NO_PIDFILE))
        if self.no_pidfile or unwanted:
            return None
        return pidfile_path(self.pidfile, os.environ, default or DEFAULT_NAME)


DebugOption = Annotated[
    bool, typer.Option("--debug", help="Log every request and decision.", show_default=False)
]
WorkbenchOption = Annotated[
    bool,
    typer.Option("--workbench", help="Behind Posit Workbench or Connect.", show_default=False),
]
EmbeddedOption = Annotated[
    bool,
    typer.Option(
        "--embedded",
        help="All in this one process, so that breakpoint() stops in pages and routes.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Mode:
    """What a start takes for granted."""

    workbench: WorkbenchOption = False
    debug: DebugOption = False

    def overrides(self) -> dict[str, JsonValue]:
        """Return what that means, as settings."""
        said = {"trust_proxy": self.workbench, "debug": self.debug}
        return {name: True for name, is_meant in said.items() if is_meant}


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]

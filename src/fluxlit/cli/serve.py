"""``fluxlit dev``, ``fluxlit run`` and ``fluxlit demo``."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fluxlit import _env
from fluxlit._types import JsonValue
from fluxlit.cli.output import note

DEMO_TARGET = "fluxlit.demo.app:app"


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
    str | None, typer.Option(help="Address to listen on; 127.0.0.1 if unset.", show_default=False)
]
PortOption = Annotated[
    int | None,
    typer.Option(help="Port; 8000 if unset, 0 for any.", min=0, max=65535, show_default=False),
]
LevelOption = Annotated[
    LogLevel | None,
    typer.Option("--log-level", help="Least level to log; info if unset.", show_default=False),
]
ProxyOption = Annotated[
    bool | None,
    typer.Option(
        "--proxy-headers/--no-proxy-headers",
        help="Believe X-Forwarded-* of the proxies in --forwarded-allow-ips.",
        show_default=False,
    ),
]
AllowIpsOption = Annotated[
    str | None,
    typer.Option(help="Proxies to believe; 127.0.0.1,::1 if unset.", show_default=False),
]
WorkersOption = Annotated[int, typer.Option(help="Gateway workers that share the port.", min=1)]


def _checked_workers(value: str | None) -> str | None:
    """Refuse what is neither a number from 1 on nor "auto"."""
    if value is None or value == "auto" or (value.isdecimal() and int(value)):
        return value
    msg = f'{value!r} is neither a number from 1 on nor "auto".'
    raise typer.BadParameter(msg)


UiWorkersOption = Annotated[
    str | None,
    typer.Option(
        help="UI workers that share the visitors; auto: one for each core. 1 if unset.",
        metavar="N|auto",
        show_default=False,
        callback=_checked_workers,
    ),
]
PidfileOption = Annotated[
    Path | None, typer.Option(help="Pid file; .fluxlit-dev.pid if unset.", show_default=False)
]
NoPidfileOption = Annotated[bool, typer.Option("--no-pidfile", help="Write no pid file.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Log every request and decision.")]


def dev(  # noqa: PLR0913, PLR0917 - one parameter an option
    target: TargetArgument = None,
    host: HostOption = None,
    port: PortOption = None,
    log_level: LevelOption = None,
    proxy_headers: ProxyOption = None,
    forwarded_allow_ips: AllowIpsOption = None,
    pidfile: PidfileOption = None,
    no_pidfile: NoPidfileOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve an app while you write it; pages follow your edits.

    Example: fluxlit dev app:app --port 9000
    """
    overrides = _overrides(host, port, log_level, proxy_headers, forwarded_allow_ips)
    _serve(target, overrides, pidfile=_pidfile(pidfile, no_pidfile), development=True, debug=debug)


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    target: TargetArgument = None,
    host: HostOption = None,
    port: PortOption = None,
    workers: WorkersOption = 1,
    ui_workers: UiWorkersOption = None,
    log_level: LevelOption = None,
    proxy_headers: ProxyOption = None,
    forwarded_allow_ips: AllowIpsOption = None,
    pidfile: PidfileOption = None,
    no_pidfile: NoPidfileOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve an app to its users.

    Example: fluxlit run app:app --host 0.0.0.0 --port 80 --ui-workers auto
    """
    overrides = _overrides(host, port, log_level, proxy_headers, forwarded_allow_ips)
    if ui_workers is not None:
        overrides["ui_workers"] = "auto" if ui_workers == "auto" else int(ui_workers)
    _serve(
        target,
        overrides,
        pidfile=_pidfile(pidfile, no_pidfile),
        workers=workers,
        debug=debug,
    )


def demo(
    host: HostOption = None,
    port: PortOption = None,
    log_level: LevelOption = None,
) -> None:
    """Serve the demo application, an operations desk.

    Example: fluxlit demo --port 9000
    """
    _serve(DEMO_TARGET, _overrides(host, port, log_level), pidfile=None)


def _overrides(
    host: str | None,
    port: int | None,
    log_level: LogLevel | None,
    proxy_headers: bool | None = None,
    forwarded_allow_ips: str | None = None,
) -> dict[str, JsonValue]:
    """Collect what was said on the command line, as settings."""
    said: dict[str, JsonValue] = {
        "gateway_host": host,
        "gateway_port": port,
        "log_level": log_level.value if log_level else None,
        "trust_proxy": proxy_headers,
        "forwarded_allow_ips": forwarded_allow_ips,
    }
    return {name: value for name, value in said.items() if value is not None}


def _pidfile(given: Path | None, unwanted: bool) -> Path | None:
    from fluxlit.runtime.pidfile import pidfile_path  # noqa: PLC0415 - `--help` needs none of it

    if unwanted or (given is None and _env.is_truthy(os.environ.get(_env.NO_PIDFILE))):
        return None
    return pidfile_path(given, os.environ)


def _serve(
    target: str | None,
    overrides: dict[str, JsonValue],
    *,
    pidfile: Path | None,
    development: bool = False,
    workers: int = 1,
    debug: bool = False,
) -> None:
    from fluxlit.logging import configure_logging  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.runtime.supervisor import RunOptions, Supervisor  # noqa: PLC0415
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    if debug:
        os.environ["FLUXLIT_DEBUG"] = "1"
    configure_logging(str(overrides.get("log_level", "debug" if debug else "info")))
    chosen = choose_target(target)
    options = RunOptions(
        target=str(chosen),
        development=development,
        workers=workers,
        overrides=overrides,
        pidfile=pidfile,
    )
    note(f"starting {chosen} ...")
    asyncio.run(Supervisor(options, note).run())

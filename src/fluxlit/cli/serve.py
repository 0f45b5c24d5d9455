"""``fluxlit dev``, ``fluxlit run``, ``fluxlit workbench`` and ``fluxlit demo``."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fluxlit._types import JsonValue
from fluxlit.cli.flags import (
    Binding,
    DebugOption,
    EmbeddedOption,
    Mode,
    PidFile,
    Proxies,
    Reloading,
    Scale,
    TargetArgument,
    UIBinding,
    UIModeName,
    UIModeOption,
    UIScale,
    WorkbenchOption,
    mode_override,
)
from fluxlit.cli.head_start import HEAD_START
from fluxlit.cli.output import note
from fluxlit.cli.spreading import spread

if TYPE_CHECKING:
    from fluxlit.runtime.reloading import Reload

DEMO_TARGET = "fluxlit.demo.app:app"


@dataclass(frozen=True, slots=True)
class Order:
    """What a command asks to be served.

    Attributes:
        target: Where the app is, as it was said.
        overrides: Settings that flags said, by name.
        pidfile: Where to put the pid file; None for none.
        development: Started by ``fluxlit dev``.
        workers: How many gateway workers.
        workbench: Behind Posit Workbench or Connect.
        debug: Log everything.
        reload: How to follow edits; None: not at all.
        alone: UI workers for a gateway elsewhere.
        embedded: All in this process.
    """

    target: str | None
    overrides: dict[str, JsonValue] = field(default_factory=dict)
    pidfile: Path | None = None
    development: bool = False
    workers: int = 1
    workbench: bool = False
    debug: bool = False
    reload: Reload | None = None
    alone: bool = False
    embedded: bool = False

    def settings(self) -> dict[str, JsonValue]:
        """Return the settings that decide before every other source."""
        return {**Mode(self.workbench, self.debug).overrides(), **self.overrides}


@spread
def dev(  # noqa: PLR0913, PLR0917 - one parameter a group of options
    binding: Binding,
    reloading: Reloading,
    proxies: Proxies,
    pid: PidFile,
    target: TargetArgument = None,
    ui_mode: UIModeOption = None,
    embedded: EmbeddedOption = False,
    workbench: WorkbenchOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve an app while you write it, and follow your edits.

    Example: fluxlit dev app:app --port 9000
    """
    if embedded and ui_mode not in {None, UIModeName.EMBEDDED}:
        raise typer.BadParameter("--embedded has the UI in this process", param_hint="--ui-mode")
    overrides = {**binding.overrides(), **proxies.overrides(), **mode_override(ui_mode)}
    _serve(
        Order(
            target,
            overrides,
            pid.path(),
            development=True,
            workbench=workbench,
            debug=debug,
            reload=reloading.options(),
            embedded=embedded,
        )
    )


@spread
def run(  # noqa: PLR0913, PLR0917 - one parameter a group of options
    binding: Binding,
    scale: Scale,
    proxies: Proxies,
    pid: PidFile,
    target: TargetArgument = None,
    workbench: WorkbenchOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve an app to its users.

    Example: fluxlit run app:app --host 0.0.0.0 --port 80 --ui-workers auto
    """
    overrides = {**binding.overrides(), **proxies.overrides(), **scale.overrides()}
    workers = scale.workers
    _serve(Order(target, overrides, pid.path(), workers=workers, workbench=workbench, debug=debug))


@spread
def ui(
    binding: UIBinding,
    scale: UIScale,
    pid: PidFile,
    target: TargetArgument = None,
    debug: DebugOption = False,
) -> None:
    """Serve an app's UI alone, for a gateway on another machine.

    The gateway has --ui-mode remote and the URLs in FLUXLIT_STREAMLIT_UPSTREAM. Both have the same
    FLUXLIT_UI_SECRET; pages find the API at FLUXLIT_INTERNAL_API_BASE.

    Example: fluxlit ui app:app --host 10.0.0.5 --port 8501 --ui-workers 4
    """
    from fluxlit.runtime.pidfile import UI_NAME  # noqa: PLC0415 - `--help` needs none of it

    overrides = {**binding.overrides(), **scale.overrides()}
    _serve(Order(target, overrides, pid.path(UI_NAME), debug=debug, alone=True))


@spread
def workbench(
    binding: Binding,
    proxies: Proxies,
    pid: PidFile,
    target: TargetArgument = None,
    debug: DebugOption = False,
) -> None:
    """Serve an app in Posit Workbench or Connect.

    Their proxy on this machine is believed, and how to reach the app is printed.

    Example: fluxlit workbench app:app --port 8050
    """
    overrides = {**binding.overrides(), **proxies.overrides()}
    _serve(Order(target, overrides, pid.path(), workbench=True, debug=debug))


@spread
def demo(binding: Binding) -> None:
    """Serve the demo application, an operations desk.

    Example: fluxlit demo --port 9000
    """
    _serve(Order(DEMO_TARGET, binding.overrides()))


def _serve(order: Order) -> None:
    from fluxlit.config.files import read_project_file  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.config.project import expects_ui_workers  # noqa: PLC0415
    from fluxlit.logging import configure_logging  # noqa: PLC0415 - `--help` needs none of it
    from fluxlit.runtime.options import RunOptions  # noqa: PLC0415
    from fluxlit.runtime.supervisor import Supervisor  # noqa: PLC0415
    from fluxlit.runtime.targets import choose_target  # noqa: PLC0415

    settings = order.settings()
    if order.debug:
        os.environ["FLUXLIT_DEBUG"] = "1"  # for code that asks while it is being imported
    configure_logging(str(settings.get("log_level", "debug" if order.debug else "info")))
    chosen = choose_target(order.target)
    options = RunOptions(
        target=str(chosen),
        development=order.development,
        workers=order.workers,
        overrides=settings,
        pidfile=order.pidfile,
        workbench=order.workbench,
        reload=order.reload,
        alone=order.alone,
        expects_uis=expects_ui_workers(settings, os.environ, read_project_file(Path.cwd()).values),
    )
    note(f"starting {chosen} ...")
    if order.embedded:
        from fluxlit.runtime.one_process import run_in_one_process  # noqa: PLC0415 - brings it all

        run_in_one_process(options, note)
        return
    head_start = HEAD_START.get()
    child = head_start.child if head_start else None
    run_service = head_start.run if head_start else asyncio.run
    run_service(Supervisor(options, note, ahead=child).run())

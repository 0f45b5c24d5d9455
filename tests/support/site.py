"""One application behind its doors: asked directly, and through nginx under a prefix."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from tests.support.nginx import nginx_running, prefix_rules
from tests.support.service import READY_PATHS, Service, copy_app, running

if TYPE_CHECKING:
    from types import TracebackType

Door = Literal["direct", "strip", "full"]
DOORS: tuple[Door, ...] = ("direct", "strip", "full")
MOUNT = "/apps/my-app"


@dataclass(frozen=True, slots=True)
class Launch:
    """How an application is started.

    Attributes:
        folders: Directories whose contents make up the user's directory, in this order.
        files: More files of that directory, by name.
        arguments: The command line after ``fluxlit``.
        environment: Variables of its own.
        ready: Paths that answer 200 once it can be used.
        ui: Where the UI stands under the mount.
    """

    folders: tuple[Path, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("run",)
    environment: dict[str, str] = field(default_factory=dict)
    ready: tuple[str, ...] = READY_PATHS
    ui: str = ""

    def lay_out(self, directory: Path) -> None:
        """Make the user's directory."""
        for folder in self.folders:
            copy_app(folder, directory)
        for name, text in self.files.items():
            (directory / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Site:
    """An application as somebody outside sees it.

    Attributes:
        origin: Scheme, host and port of the browser's address bar.
        mount: Public path of the whole application.
        ui: Public path of the UI under the mount.
        service: The process behind.
    """

    origin: str
    mount: str
    ui: str
    service: Service

    def page(self, path: str = "/") -> str:
        """The address of a page."""
        return f"{self.origin}{self.mount}{self.ui}{path}"

    def api(self, path: str) -> str:
        """The address of anything else, e.g. ``/api/users``."""
        return f"{self.origin}{self.mount}{path}"


class House:
    """Starts an application's processes as its doors are asked for, each at most once.

    The two nginx doors lead to one process: under a mount, an application has to cope with paths
    that carry it and with paths that do not.
    """

    def __init__(self, launch: Launch, directory: Path) -> None:
        self._launch = launch
        self._directory = directory
        self._open = ExitStack()
        self._sites: dict[Door, Site] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def site(self, door: Door) -> Site:
        """The application through this door."""
        if door not in self._sites:
            self._sites |= self._direct() if door == "direct" else self._mounted()
        return self._sites[door]

    def _direct(self) -> dict[Door, Site]:
        service = self._start("direct", {}, signal.SIGINT)
        return {"direct": Site(service.origin, "", self._launch.ui, service)}

    def _mounted(self) -> dict[Door, Site]:
        service = self._start("mounted", {"FLUXLIT_ROOT_PATH": MOUNT}, signal.SIGTERM)
        rules = prefix_rules(service.port, MOUNT)
        self._open.enter_context(nginx_running(list(rules.values())))
        return {
            name: Site(rule.origin, MOUNT, self._launch.ui, service) for name, rule in rules.items()
        }

    def _start(self, name: str, environment: dict[str, str], how: signal.Signals) -> Service:
        directory = self._directory / name
        directory.mkdir()
        self._launch.lay_out(directory)
        return self._open.enter_context(
            running(
                *self._launch.arguments,
                directory=directory,
                environment=self._launch.environment | environment,
                ready=self._launch.ready,
                how=how,
            )
        )

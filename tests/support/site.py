"""One application behind its doors: asked directly, and through nginx under a prefix."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.support.nginx import nginx_running, prefix_rules
from tests.support.ports import free_port
from tests.support.service import READY_PATHS, Service, copy_app, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Door = Literal["direct", "strip", "full", "relay", "embedded", "tcp", "remote"]
DOORS: tuple[Door, ...] = ("direct", "strip", "full")
BOTH_WAYS: tuple[Door, ...] = (*DOORS, "relay")
"""Every door, and one behind which WebSockets are relayed instead of handed over."""

UI_MODES: tuple[Door, ...] = ("embedded", "tcp", "remote")
"""The UI in the gateway's process, in a worker that is reached at a port, and on its own."""

UI_SECRET = "a secret that two machines share 0123456789"
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
        launch: How it was started.
    """

    origin: str
    mount: str
    launch: Launch

    def page(self, path: str = "/") -> str:
        """The address of a page."""
        return f"{self.origin}{self.mount}{self.launch.ui}{path}"

    def at(self, path: str) -> str:
        """The address of anything under the mount, e.g. ``/api/users``."""
        return f"{self.origin}{self.mount}{path}"


class Neighbourhood:
    """Starts applications as their doors are asked for, each process once, one application a time.

    The two nginx doors lead to one process: under a mount, an application has to cope with paths
    that carry it and with paths that do not.
    """

    def __init__(self, new_directory: Callable[[], Path]) -> None:
        self._new_directory = new_directory
        self._running = ExitStack()
        self._sites: dict[Door, Site] = {}
        self._launch: Launch | None = None
        self._starts = {
            "direct": self._start_direct,
            "relay": self._start_relaying,
            "embedded": self._start_embedded,
            "tcp": self._start_at_ports,
            "remote": self._start_apart,
            "strip": self._start_mounted,
            "full": self._start_mounted,
        }

    def site(self, launch: Launch, door: Door) -> Site:
        """The application through this door; another one that runs is stopped first."""
        if launch is not self._launch:
            self.close()
            self._launch = launch
        if door not in self._sites:
            self._sites |= self._starts[door](launch)
        return self._sites[door]

    def close(self) -> None:
        """Stop what runs and see it end well."""
        self._launch, self._sites = None, {}
        self._running.close()

    def _start_direct(self, launch: Launch) -> dict[Door, Site]:
        service = self._start(launch, {}, signal.SIGINT)
        return {"direct": Site(service.origin, "", launch)}

    def _start_relaying(self, launch: Launch) -> dict[Door, Site]:
        service = self._start(launch, {"FLUXLIT_UI_HANDOFF": "0"}, signal.SIGTERM)
        return {"relay": Site(service.origin, "", launch)}

    def _start_embedded(self, launch: Launch) -> dict[Door, Site]:
        service = self._start(launch, {"FLUXLIT_UI_MODE": "embedded"}, signal.SIGINT)
        return {"embedded": Site(service.origin, "", launch)}

    def _start_at_ports(self, launch: Launch) -> dict[Door, Site]:
        service = self._start(launch, {"FLUXLIT_UI_TRANSPORT": "tcp"}, signal.SIGTERM)
        return {"tcp": Site(service.origin, "", launch)}

    def _start_apart(self, launch: Launch) -> dict[Door, Site]:
        directory, port = self._new_directory(), free_port()
        launch.lay_out(directory)
        shared = launch.environment | {"FLUXLIT_UI_SECRET": UI_SECRET}
        api = {"FLUXLIT_INTERNAL_API_BASE": f"http://127.0.0.1:{port}/api"}
        ui = running("ui", directory=directory, environment=shared | api, ready=())
        upstream = self._running.enter_context(ui).origin
        remote = {"FLUXLIT_UI_MODE": "remote", "FLUXLIT_STREAMLIT_UPSTREAM": upstream}
        service = running(
            *launch.arguments,
            directory=directory,
            environment=shared | remote,
            ready=launch.ready,
            port=port,
        )
        return {"remote": Site(self._running.enter_context(service).origin, "", launch)}

    def _start_mounted(self, launch: Launch) -> dict[Door, Site]:
        service = self._start(launch, {"FLUXLIT_ROOT_PATH": MOUNT}, signal.SIGTERM)
        rules = prefix_rules(service.port, MOUNT)
        self._running.enter_context(nginx_running(list(rules.values())))
        return {name: Site(rule.origin, MOUNT, launch) for name, rule in rules.items()}

    def _start(self, launch: Launch, environment: dict[str, str], how: signal.Signals) -> Service:
        directory = self._new_directory()
        launch.lay_out(directory)
        service = running(
            *launch.arguments,
            directory=directory,
            environment=launch.environment | environment,
            ready=launch.ready,
            how=how,
        )
        return self._running.enter_context(service)

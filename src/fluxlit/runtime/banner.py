"""What a person reads when the service is ready."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fluxlit._types import JsonValue
from fluxlit._version import __version__

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - shown, not bound


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is, as its first gateway worker said.

    Attributes:
        host: The host it listens on.
        port: The port it listens on.
        title: The app's title.
        mount: Public path of the whole app, in normal form.
        prefix: The API's path under the mount.
        ui: The UI's path under the mount.
        docs: Path of the API's documentation under the API; None if there is none.
        grace: Seconds for requests in flight at the end.
        log_level: The app's log level.
        ui_workers: How many UI workers the app wants.
        door_key: What opens the pages' private port, where that is no Unix socket; else empty.
        ui_limits: What each of them may cost, as :class:`~fluxlit.workers.care.Limits`.
        gateway_limits: The same of the gateway workers.
        spare: Whether a process is to wait that takes over from the only gateway worker.
        modules: Installed modules that the app has imported, for a spare process to import ahead.
        given: Where it listens was decided by the service manager, which opened the socket.
    """

    host: str
    port: int
    title: str = "FluxLit"
    mount: str = ""
    prefix: str = "/api"
    ui: str = ""
    docs: str | None = "/docs"
    grace: float = 30.0
    log_level: str = "info"
    ui_workers: int = 1
    door_key: str = field(default="", repr=False)
    ui_limits: dict[str, float | None] = field(default_factory=dict)
    gateway_limits: dict[str, float | None] = field(default_factory=dict)
    spare: bool = False
    modules: list[JsonValue] = field(default_factory=list)
    given: bool = False

    @classmethod
    def from_message(cls, message: dict[str, JsonValue]) -> Address:
        """Read what a gateway worker reported."""
        known = {name: value for name, value in message.items() if name in cls.__slots__}
        return cls(**known)  # type: ignore[arg-type] # our own worker wrote it

    def bound_to(self, sock: socket.socket) -> Address:
        """Return the address with the port that the system gave."""
        return replace(self, port=sock.getsockname()[1])

    def given_by(self, sock: socket.socket) -> Address:
        """Return the address of a socket that was opened for this service; settings do not count.

        Args:
            sock: A listening TCP or Unix socket. The latter is named as nginx names it.
        """
        name = sock.getsockname()
        if sock.family == socket.AF_UNIX:
            return replace(self, host=f"unix:{os.fsdecode(name)}:", port=0, given=True)
        return replace(self, host=name[0], port=name[1], given=True)

    def fixed_since(self, earlier: Address) -> list[str]:
        """Return the settings that differ from an earlier version's and stay until a restart."""
        kept = {
            "gateway_host": not earlier.given and earlier.host != self.host,
            "gateway_port": not earlier.given and self.port not in {0, earlier.port},
            "ui_workers": earlier.ui_workers != self.ui_workers,
            "ui_transport or ui_secret": earlier.door_key != self.door_key,
        }
        return [name for name, differs in kept.items() if differs]

    @property
    def origin(self) -> str:
        """The address to type into a browser on this machine."""
        if self.host.startswith("unix:"):
            return f"http://{self.host}"
        return url_of(_ANY.get(self.host, self.host), self.port)

    def lines(self) -> list[tuple[str, str]]:
        """Return label and address of everything that a person may want to open."""
        base = f"{self.origin}{self.mount}"
        api = f"{base}{self.prefix}"
        found = [("UI", f"{base}{self.ui}/"), ("API", f"{api}/")]
        if self.docs:
            found.append(("API docs", f"{api}{self.docs}"))
        return [*found, ("Health", f"{api}/healthz")]


def url_of(host: str, port: int) -> str:
    """Write the address of a port.

    >>> url_of("::1", 80), url_of("10.0.0.5", 8501)
    ('http://[::1]:80', 'http://10.0.0.5:8501')
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers serve, or are to."""

    gateways: int
    uis: int

    def __str__(self) -> str:
        """Say it as a person would: ``2 gateway, 4 UI``."""
        return f"{self.gateways} gateway" + (f", {self.uis} UI" if self.uis else "")


def banner(address: Address, seconds: float, crew: Crew) -> str:
    """Return the text that says that the service is ready.

    Args:
        address: Where it is.
        seconds: How long the start took.
        crew: Who serves; told when there is more than one of a kind.
    """
    head = f"{address.title} is ready in {seconds:.1f} s (FluxLit {__version__})"
    rows = [f"  {label:<9} {url}" for label, url in address.lines()]
    if crew not in {Crew(1, 1), Crew(1, 0)}:
        rows.append(f"  {'Workers':<9} {crew}")
    return "\n".join(["", head, *rows, "  Press Ctrl-C to stop.", ""])


def ui_banner(address: Address, seconds: float, listening: Sequence[tuple[str, int]]) -> str:
    """Return the text that says that UI workers are ready for a gateway elsewhere.

    Args:
        address: What they serve.
        seconds: How long the start took.
        listening: Host and port of each.
    """
    head = f"The UI of {address.title} is ready in {seconds:.1f} s (FluxLit {__version__})"
    urls = [url_of(host, port) for host, port in listening]
    rows = [f"  {f'ui-{slot}':<9} {url}" for slot, url in enumerate(urls)]
    there = "  Its gateway: FLUXLIT_UI_MODE=remote FLUXLIT_STREAMLIT_UPSTREAM=" + ",".join(urls)
    return "\n".join(["", head, *rows, there, "  Press Ctrl-C to stop.", ""])


def progress(ready: Crew, wanted: Crew, seconds: float) -> str:
    """Return the text that says how far a start that takes its time has come.

    >>> progress(Crew(1, 1), Crew(1, 4), 2.0)
    'still starting after 2 s: ready are 1 of 1 gateway and 1 of 4 UI workers'
    """
    parts = [
        f"{there} of {needed} {kind}"
        for there, needed, kind in (
            (ready.gateways, wanted.gateways, "gateway"),
            (ready.uis, wanted.uis, "UI"),
        )
        if needed
    ]
    return f"still starting after {seconds:.0f} s: ready are {' and '.join(parts)} workers"


def workbench_hints(address: Address, environ: Mapping[str, str]) -> str:
    """Return how to reach the service through Posit Workbench or Connect.

    Workbench shows a port of the session under a path that its own program computes
    (https://docs.posit.co/ide/server-pro/user/rstudio-pro/guide/shiny-for-python.html); an app
    that lives under a path has to know it.

    Args:
        address: Where the service is.
        environ: The session's variables, of which Posit's tell where we are.
    """
    product = environ.get("POSIT_PRODUCT") or environ.get("RSTUDIO_PRODUCT")
    place = product or ("Workbench" if "RS_SERVER_URL" in environ else "Workbench or Connect")
    health = f"{address.origin}{address.mount}{address.prefix}/healthz"
    lines = [f"Behind Posit {place}: its proxy on this machine is believed. Health: {health}"]
    if not address.mount:
        program = "/usr/lib/rstudio-server/bin/rserver-url"
        lines.append(f"If the page stays empty: FLUXLIT_ROOT_PATH=$({program} {address.port})")
    if base := environ.get("RS_SERVER_URL"):
        lines.append(f"Open it from the Ports tab of {base}")
    return "\n".join(f"  {line}" for line in lines)

"""Who takes part: how each is started, where its API and its UI are, which process is its gateway.

All are started from a folder with the same ``.streamlit/config.toml`` and the repository on the
import path, log warnings only, and write no access log.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import psutil

from benchmarks.apps.pages import API_VARIABLE, PAGE_COUNT_VARIABLE, PAGE_VARIABLE
from benchmarks.drivers import edits
from benchmarks.environment import NGINX, ROOT, published_python, scripts_of, this_python
from benchmarks.processes import Command, free_port

# The watcher is off everywhere: only some contestants would have it on by default.
STREAMLIT_CONFIG = """\
[server]
headless = true
fileWatcherType = "none"
maxUploadSize = 400
[browser]
gatherUsageStats = false
[logger]
level = "warning"
"""

NGINX_CONFIG = """\
{user}
daemon off;
worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 400m;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream api {{ server 127.0.0.1:{api_port}; keepalive 32; }}
  upstream ui {{ server 127.0.0.1:{ui_port}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_read_timeout 3600s;
    location /api/ {{ proxy_pass http://api/; }}
    location / {{ proxy_pass http://ui; }}
  }}
}}
"""


class Launcher(Protocol):
    """Says what to start so that ``port`` answers; may write configuration to ``directory``."""

    def __call__(self, port: int, directory: Path) -> Sequence[Command]:
        """Return the commands."""


GatewayFinder = Callable[[Sequence[psutil.Process]], list[psutil.Process]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to serve the application.

    Attributes:
        name: Used on the command line and in the results.
        title: What it is, for the table.
        launch: What to start.
        api: Path of the API's answer, or None if it has no API.
        ui: Whether it serves the page, at the root.
        gateway: Finds the processes that the UI's bytes pass through on their way to Streamlit.
        special: Takes part only in cases that name it.
    """

    name: str
    title: str
    launch: Launcher
    api: str | None = None
    ui: bool = False
    gateway: GatewayFinder | None = None
    special: bool = False

    @property
    def probes(self) -> tuple[str, ...]:
        """The paths that all answer 200 once the contestant is ready."""
        ui = ("/_stcore/health", "/") if self.ui else ()
        return (*ui, *((self.api,) if self.api else ()))


def environment_for(page: str) -> Mapping[str, str]:
    """Return the environment that every contestant gets: the caller's, without its settings."""
    foreign = ("FLUXLIT_", "STREAMLIT_", "UVICORN_", "PYTHON")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, PAGE_VARIABLE: page, "PYTHONPATH": str(ROOT)}


def _uvicorn(target: str, port: int, *options: str) -> Command:
    argv = [str(this_python()), "-m", "uvicorn", target, "--port", str(port), *options]
    return Command([*argv, "--no-access-log", "--log-level", "warning", "--no-proxy-headers"])


def _streamlit(port: int, env: Mapping[str, str] | None = None) -> Command:
    script = ROOT / "benchmarks" / "apps" / "script.py"
    argv = [str(this_python()), "-m", "streamlit", "run", str(script)]
    return Command([*argv, "--server.port", str(port), "--server.address", "127.0.0.1"], env or {})


def _launch_fastapi(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return [_uvicorn("benchmarks.apps.api:app", port)]


def _launch_streamlit(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return [_streamlit(port)]


def _launch_mounted(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    # Off in Streamlit's own server too; Uvicorn's default would compress every frame.
    return [_uvicorn("benchmarks.apps.mounted:app", port, "--ws-per-message-deflate", "false")]


def _launch_fastapi_twice(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return [_uvicorn("benchmarks.apps.api:app", port, "--workers", "2")]


def _launch_tuned(port: int, directory: Path) -> Sequence[Command]:
    config = directory / ".streamlit" / "config.toml"
    config.write_text(f"{config.read_text()}[runner]\npostScriptGC = false\n")
    return [_streamlit(port)]


def _launch_apart(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    api_port = free_port()
    api = _uvicorn("benchmarks.apps.api:app", api_port)
    return [api, _streamlit(port, {API_VARIABLE: f"http://127.0.0.1:{api_port}"})]


def _launch_nginx(port: int, directory: Path) -> Sequence[Command]:
    api_port, ui_port = free_port(), free_port()
    config = directory / "nginx.conf"
    # As root nginx would hand its workers to a user who may not enter the temporary folder.
    user = "user root;" if os.geteuid() == 0 else ""
    ports = {"port": port, "api_port": api_port, "ui_port": ui_port}
    config.write_text(NGINX_CONFIG.format(directory=directory, user=user, **ports))
    argv = [NGINX.path(), "-e", str(directory / "nginx.log"), "-c", str(config)]
    return [_uvicorn("benchmarks.apps.api:app", api_port), _streamlit(ui_port), Command(argv)]


def _launch_fluxlit(python: Path, port: int, *more: str) -> Sequence[Command]:
    argv = [str(scripts_of(python) / "fluxlit"), "run", "benchmarks.apps.fluxlit_app:app"]
    options = ["--port", str(port), "--log-level", "warning", "--no-pidfile"]
    return [Command([*argv, *options, *more])]


def _launch_current(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return _launch_fluxlit(this_python(), port)


def _launch_with_pages(count: int, port: int) -> Sequence[Command]:
    """Start the current version with so many pages; the one that is measured is the first."""
    (command,) = _launch_fluxlit(this_python(), port)
    return [replace(command, env={**command.env, PAGE_COUNT_VARIABLE: str(count)})]


def _launch_two_pages(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001
    return _launch_with_pages(2, port)


def _launch_sixty_pages(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001
    return _launch_with_pages(60, port)


def _launch_two_gateways(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return _launch_fluxlit(this_python(), port, "--workers", "2")


def _launch_two_uis(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return _launch_fluxlit(this_python(), port, "--ui-workers", "2")


def _launch_reloading(port: int, directory: Path) -> Sequence[Command]:
    (directory / edits.FILE).write_text(edits.FASTAPI)
    return [_uvicorn("edited:app", port, "--reload")]


def _launch_development(port: int, directory: Path) -> Sequence[Command]:
    (directory / edits.FILE).write_text(edits.FLUXLIT)
    argv = [str(scripts_of(this_python()) / "fluxlit"), "dev", "edited:app"]
    return [Command([*argv, "--port", str(port), "--log-level", "warning", "--no-pidfile"])]


def _launch_published(port: int, directory: Path) -> Sequence[Command]:  # noqa: ARG001 - Launcher
    return _launch_fluxlit(published_python(), port)


def _gateway_worker(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the child whose command line names the gateway's entry module."""
    return [each for each in processes if any("_entry.gateway" in word for word in each.cmdline())]


def _leader(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the process that was started: 0.13 runs its gateway in it."""
    return list(processes[:1])


def _nginx(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return nginx's processes: which of its workers will take a connection is not known."""
    return [each for each in processes if each.name() == "nginx"]


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant("fastapi", "bare FastAPI under Uvicorn", _launch_fastapi, api="/users"),
    Contestant("streamlit", "`streamlit run`", _launch_streamlit, ui=True),
    Contestant("mounted", "FastAPI in Streamlit's App", _launch_mounted, api="/api/users", ui=True),
    Contestant(
        "nginx",
        "nginx before both",
        _launch_nginx,
        api="/api/users",
        ui=True,
        gateway=_nginx,
    ),
    Contestant(
        "fluxlit-0.13",
        "fluxlit 0.13.2",
        _launch_published,
        api="/api/users",
        ui=True,
        gateway=_leader,
    ),
    Contestant(
        "fluxlit",
        "FluxLit",
        _launch_current,
        api="/api/users",
        ui=True,
        gateway=_gateway_worker,
    ),
    Contestant(
        "fastapi-2",
        "bare FastAPI, `uvicorn --workers 2`",
        _launch_fastapi_twice,
        api="/users",
        special=True,
    ),
    Contestant(
        "streamlit-tuned",
        "`streamlit run`, `runner.postScriptGC = false`",
        _launch_tuned,
        ui=True,
        special=True,
    ),
    Contestant(
        "apart", "`streamlit run` beside bare FastAPI", _launch_apart, ui=True, special=True
    ),
    Contestant(
        "fluxlit-2",
        "FluxLit, `--workers 2`",
        _launch_two_gateways,
        api="/api/users",
        ui=True,
        special=True,
    ),
    Contestant(
        "fluxlit-ui-2",
        "FluxLit, `--ui-workers 2`",
        _launch_two_uis,
        api="/api/users",
        ui=True,
        special=True,
    ),
    Contestant(
        "fastapi-reload",
        "bare FastAPI, `uvicorn --reload`",
        _launch_reloading,
        api="/users",
        special=True,
    ),
    Contestant(
        "fluxlit-dev",
        "FluxLit, `fluxlit dev`",
        _launch_development,
        api="/api/users",
        ui=True,
        special=True,
    ),
    Contestant("pages-2", "FluxLit, 2 pages", _launch_two_pages, ui=True, special=True),
    Contestant("pages-60", "FluxLit, 60 pages", _launch_sixty_pages, ui=True, special=True),
)

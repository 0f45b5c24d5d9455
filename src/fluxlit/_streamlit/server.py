"""What a UI worker serves: one Streamlit Runtime as an ASGI app."""

from __future__ import annotations

import contextlib
import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict

from streamlit import config
from streamlit.runtime import RuntimeConfig
from streamlit.runtime import runtime as runtime_module
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.runtime_util import get_max_message_size_bytes
from streamlit.web.bootstrap import prepare_streamlit_environment
from streamlit.web.cache_storage_manager_config import create_default_cache_storage_manager
from streamlit.web.server.starlette.starlette_app import create_starlette_app

from fluxlit._secrets import derived
from fluxlit._streamlit.backlog import bound_backlogs
from fluxlit._streamlit.components import look_quickly
from fluxlit._streamlit.failures import OnError, asks
from fluxlit._streamlit.hashing import hash_quickly
from fluxlit._streamlit.media import LingeringStorage
from fluxlit._streamlit.options import apply_options, parse_run_args
from fluxlit._streamlit.recovery import RecoveringRuntime
from fluxlit._streamlit.sections import find_sections_quickly
from fluxlit._streamlit.sessions import PassingStorage
from fluxlit._streamlit.sources import SourceEdits
from fluxlit._types import ASGIApp
from fluxlit.exceptions import StartupError

_PING_SECONDS = 30
"""Streamlit's own default; below the 60 s after which common proxies cut an idle connection."""

_PAUSE_SECONDS: Final = 0.002
"""Between two batches of a run's messages; Streamlit's own 5 ms are longer than a small run."""

_FIRST_RUN: Final = (
    "streamlit.runtime.scriptrunner.magic_funcs",
    "streamlit.web.skills",
    "fluxlit._streamlit.module",
    "fluxlit._streamlit.navigation",
)
"""What the first run of any page imports, so that it need not."""

_ICONS: Final = ("streamlit.emojis", "streamlit.material_icon_names")
"""What the first run imports where a page has an icon."""


@dataclass(frozen=True, slots=True)
class StreamlitOptions:
    """How Streamlit is to run.

    Attributes:
        script: The main script, absolute.
        base_path: Public path of the UI, in normal form.
        run_args: Extra ``streamlit run`` arguments of the user.
        development: Errors show in the browser.
        edits: Tells the open pages of edits; None for an app that stays as it is.
        cookie_secret: Signs Streamlit's cookies; shared by all workers of one service.
        allowed_origins: Other origins that may open a page's WebSocket.
        collects: Streamlit collects all garbage after each run, as it does by itself.
        icons: Pages have icons, which Streamlit checks in each run.
        on_error: Shows what a script raises; None leaves it to Streamlit.
    """

    script: Path
    base_path: str = ""
    run_args: tuple[str, ...] = ()
    development: bool = False
    edits: SourceEdits | None = None
    cookie_secret: str = field(default="", repr=False)
    allowed_origins: tuple[str, ...] = ()
    collects: bool = False
    icons: bool = False
    on_error: OnError | None = None


class ServerOptions(TypedDict):
    """The part of Uvicorn's configuration that Streamlit has an opinion on."""

    ws_ping_interval: float
    ws_ping_timeout: float
    ws_max_size: int
    ws_per_message_deflate: bool


def configure(options: StreamlitOptions) -> None:
    """Set this process up to serve one Streamlit app, as ``streamlit run`` would.

    Raises:
        ConfigurationError: ``run_args`` holds an option that cannot be used.
    """
    fixed: dict[str, object] = {
        "server.headless": True,
        "server.baseUrlPath": options.base_path.strip("/"),
    }
    preferred: dict[str, object] = {
        "browser.gatherUsageStats": False,
        # Streamlit collects all garbage after each run, between a click and its answer. The
        # worker's own collector (workers/collector.py) does it when nobody waits.
        "runner.postScriptGC": options.collects,
        "server.cookieSecret": options.cookie_secret,
        "server.corsAllowedOrigins": list(options.allowed_origins),
    }
    if options.edits is not None:
        preferred["server.runOnSave"] = True
        options.edits.install()
    else:
        preferred["server.fileWatcherType"] = "none"
    if not options.development:
        preferred["client.showErrorDetails"] = "none"
    apply_options(
        options.script,
        fixed=fixed,
        given=parse_run_args(options.run_args),
        preferred={key: value for key, value in preferred.items() if value not in ("", [])},
        watch=options.edits is not None,
    )
    sys.argv = [str(options.script)]


def create_app(options: StreamlitOptions) -> ASGIApp:
    """Build the ASGI app of the one Runtime of this process; :func:`configure` comes first.

    Raises:
        StartupError: This process has had one.
    """
    if RecoveringRuntime.exists():
        msg = "this process has served a UI before, and Streamlit serves one in a process's life"
        raise StartupError(msg, remedy="start a new process, or use ui_mode sidecar")
    script = str(options.script)
    for name in (*_FIRST_RUN, *(_ICONS if options.icons else ())):
        with contextlib.suppress(ImportError):  # another release has others
            importlib.import_module(name)
    prepare_streamlit_environment(script)
    look_quickly()
    find_sections_quickly()
    hash_quickly(derived(options.cookie_secret, "messages"))
    bound_backlogs()
    vars(runtime_module)["MESSAGE_FLUSH_INTERVAL_SECS"] = _PAUSE_SECONDS
    runtime = RecoveringRuntime(
        RuntimeConfig(
            script_path=script,
            media_file_storage=LingeringStorage("/media"),
            uploaded_file_manager=MemoryUploadedFileManager("/_stcore/upload_file"),
            cache_storage_manager=create_default_cache_storage_manager(),
            session_storage=PassingStorage(config.get_option("server.disconnectedSessionTTL")),
            **asks(options.on_error),
        )
    )
    return create_starlette_app(runtime)


def server_options(
    *,
    ping_interval: float | None = None,
    ping_timeout: float | None = None,
    max_message_bytes: int | None = None,
) -> ServerOptions:
    """Return what the server is to do: as told, else as Streamlit's configuration wishes.

    Args:
        ping_interval: Seconds between pings.
        ping_timeout: Seconds to wait for a pong.
        max_message_bytes: Largest message, either way.
    """
    interval = config.get_option("server.websocketPingInterval") or _PING_SECONDS
    return {
        "ws_ping_interval": ping_interval or interval,
        "ws_ping_timeout": ping_timeout or interval,
        "ws_max_size": max_message_bytes or get_max_message_size_bytes(),
        "ws_per_message_deflate": bool(config.get_option("server.enableWebsocketCompression")),
    }

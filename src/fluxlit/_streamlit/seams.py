"""The private names of Streamlit that FluxLit relies on, and why."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Seam:
    """One name in Streamlit that its documentation does not promise.

    Attributes:
        module: Where it lives.
        name: What it is called there; dots lead into attributes.
        why: What would stop working without it.
    """

    module: str
    name: str
    why: str

    def missing(self) -> bool:
        """Tell whether the installed Streamlit lacks this name."""
        try:
            # Step by step, importing what is a module: nobody may have asked for it before.
            pkgutil.resolve_name(f"{self.module}.{self.name}")
        except (ImportError, AttributeError):
            return True
        return False


_STARLETTE: Final = "streamlit.web.server.starlette.starlette_app"

SEAMS: Final = (
    Seam(_STARLETTE, "create_starlette_app", "serves a Runtime as an ASGI app"),
    Seam("streamlit.runtime", "Runtime", "one per UI worker"),
    Seam("streamlit.runtime", "runtime.MESSAGE_FLUSH_INTERVAL_SECS", "quick answers of small runs"),
    Seam(
        "streamlit.components.v2",
        "manifest_scanner._is_likely_streamlit_component_package",
        "a start that does not parse the metadata of every package four times",
    ),
    Seam("streamlit.runtime", "forward_msg_cache.util.calc_hash", "names large messages quickly"),
    Seam("streamlit", "util.calc_hash", "names small messages as ever"),
    Seam(
        "streamlit.runtime",
        "fragment",
        "errors of fragments in a page's words, before releases with `on_script_error`",
    ),
    Seam(
        "streamlit.runtime.scriptrunner",
        "exec_code",
        "errors of callbacks in a page's words, before releases with `on_script_error`",
    ),
    Seam("streamlit.runtime", "app_session.LocalSourcesWatcher", "edits reach open pages"),
    Seam(
        "streamlit.watcher.local_sources_watcher",
        "LocalSourcesWatcher",
        "its `on_script_run`, where there is one: modules are forgotten at the start of a run",
    ),
    Seam("streamlit.runtime", "RuntimeConfig", "carries the storages of a Runtime"),
    Seam(
        "streamlit.runtime.memory_media_file_storage",
        "MemoryMediaFileStorage._read_file",
        "files of a page",
    ),
    Seam("streamlit.runtime.memory_media_file_storage", "MemoryFile", "one file of a page"),
    Seam("streamlit.runtime.media_file_storage", "MediaFileKind", "what a file is for"),
    Seam("streamlit.runtime.memory_uploaded_file_manager", "MemoryUploadedFileManager", "uploads"),
    Seam(
        "streamlit.runtime.memory_session_storage",
        "MemorySessionStorage",
        "sessions that lost their connection",
    ),
    Seam(
        "streamlit.web.server.starlette.starlette_websocket",
        "StarletteSessionClient",
        "bounds what waits for a browser",
    ),
    Seam(
        "streamlit.web.server.starlette",
        "starlette_websocket.StarletteSessionClient._sender",
        "sends what waits",
    ),
    Seam("streamlit.runtime.session_manager", "SessionInfo", "a session that is kept"),
    Seam("streamlit.runtime.session_manager", "SessionManager.list_sessions", "counts sessions"),
    Seam("streamlit.runtime", "get_instance", "the Runtime whose sessions are counted"),
    Seam(
        "streamlit.web.cache_storage_manager_config",
        "create_default_cache_storage_manager",
        "st.cache_data on disk",
    ),
    Seam("streamlit.web.bootstrap", "load_config_options", "flags over config.toml"),
    Seam("streamlit.web.bootstrap", "prepare_streamlit_environment", "secrets, MIME types"),
    Seam("streamlit.web.bootstrap", "_install_config_watchers", "config.toml edits in development"),
    Seam("streamlit.web.cli", "main_run.params", "reads `streamlit run` options as Streamlit does"),
    Seam("streamlit.config", "_config_lock", "options are read when none is being parsed"),
    Seam("streamlit.runtime", "app_session.config.get_options_for_section", "a theme, quickly"),
    Seam("streamlit.config_option", "ConfigOption.value", "the same"),
    Seam("streamlit.config", "_main_script_path", "finds .streamlit beside the script"),
    Seam("streamlit.config", "get_config_files", "leaves the user's own choices alone"),
    Seam("streamlit.config", "_config_options_template", "knows which options are secret"),
    Seam("streamlit.proto.ForwardMsg_pb2", "ForwardMsg", "the message that a menu is"),
    Seam("streamlit.runtime.scriptrunner", "get_script_run_ctx", "the run that a menu is for"),
    Seam(
        "streamlit.runtime.scriptrunner_utils.script_run_context",
        "ScriptRunContext.set_mpa_v2_page",
        "tells which page a run is of, without composing the menu anew",
    ),
    Seam(
        "streamlit.runtime.scriptrunner_utils.script_run_context",
        "ScriptRunContext.enqueue",
        "sends a menu that was composed before",
    ),
    Seam("streamlit.navigation.page", "Page._script_hash", "finds a page by what the browser says"),
    Seam("streamlit.runtime.runtime_util", "get_max_message_size_bytes", "WebSocket message limit"),
    Seam("streamlit.proto.BackMsg_pb2", "BackMsg", "a browser asks for a run"),
    Seam("streamlit.proto.ForwardMsg_pb2", "ForwardMsg", "a run begins and ends"),
    Seam("streamlit.testing.v1", "AppTest._run", "gives each run of a tested page its app"),
    Seam("streamlit.proto.ForwardMsg_pb2", "ForwardMsg.AUTO_RERUN_FIELD_NUMBER", "asks tabs"),
    Seam("streamlit.runtime", "Runtime.connect_session", "a tab comes back to a lost session"),
    Seam("streamlit.runtime", "Runtime.handle_backmsg", "a returned tab's first run"),
    Seam("streamlit.runtime", "Runtime.disconnect_session", "a returned tab that leaves"),
    Seam("streamlit.runtime.session_manager", "SessionClient.write_forward_msg", "asks a tab"),
    Seam(
        "streamlit.runtime.session_manager",
        "SessionClientDisconnectedError",
        "a tab that left before it was asked",
    ),
)
"""Everything beyond Streamlit's documentation, in one list."""


def missing_seams() -> list[Seam]:
    """Return the names that the installed Streamlit does not have."""
    return [seam for seam in SEAMS if seam.missing()]

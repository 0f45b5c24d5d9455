"""The settings of one app, and where their values come from.

The first source that knows a setting decides::

    arguments  →  environment (FLUXLIT_*)  →  .env  →  fluxlit.toml or [tool.fluxlit]  →  default

A blank variable counts as unset. Unknown variables are left alone (others use the prefix too);
unknown keys of the project file are an error.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ModelWrapValidatorHandler, PrivateAttr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fluxlit._cpus import usable_cpus
from fluxlit._credentials import without_password
from fluxlit._paths import is_under, normalize
from fluxlit._secrets import derived
from fluxlit.config import _groups as groups
from fluxlit.config._forward_headers import split_forward_headers
from fluxlit.config._ui_place import UIPlace
from fluxlit.config._values import MAX_WORKERS
from fluxlit.config.files import read_project_file
from fluxlit.config.provenance import DEFAULT, ENV_PREFIX, PLATFORM_URL, Kind, Origin, said
from fluxlit.config.sources import NOTES_KEY, OriginNotes, ProjectFileSource, aliases_of
from fluxlit.exceptions import ConfigurationError

DEFAULT_API_PREFIX = "/api"
HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX")
LOOPBACK_PROXIES = ("127.0.0.1", "::1")


class FluxlitSettings(  # pydantic lists the fields of the last group first
    groups.Auth,
    groups.Observability,
    groups.Api,
    groups.Streamlit,
    UIPlace,
    groups.Gateway,
    groups.TrustedProxy,
    groups.Addresses,
    groups.Application,
    BaseSettings,
):
    """Every setting of an app; each ``name`` is also the variable ``FLUXLIT_NAME``.

    Subclass it to add settings of your own: they get the same prefix and the same sources.

    Raises:
        pydantic.ValidationError: A value is not allowed.
        ConfigurationError: The project file is broken or has an unknown key.

    Example:
        >>> FluxlitSettings(root_path="apps/desk/").public_mount_path()
        '/apps/desk'
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        defer_build=True,  # the validator is made with the first settings, not at import
        # A validation error of the whole model would print all values, secrets included.
        hide_input_in_errors=True,
    )

    _rejected_forward_headers: tuple[str, ...] = PrivateAttr(())
    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the sources in order, the deciding one first."""
        file = read_project_file(Path.cwd())
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            file_secret_settings,
            ProjectFileSource(settings_cls, file),
            OriginNotes(settings_cls, file),
        )

    @model_validator(mode="wrap")
    @classmethod
    def _take_notes(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Keep the note of which source gave each value."""
        notes = data.pop(NOTES_KEY, {}) if isinstance(data, dict) else {}
        made = handler(data)
        made._note({**notes, **made.origins})  # noqa: SLF001 - itself
        return made

    def _note(self, origins: Mapping[str, Origin], rejected: tuple[str, ...] = ()) -> None:
        self._origins = dict(origins)
        joined = {*self._rejected_forward_headers, *rejected}
        self._rejected_forward_headers = tuple(sorted(joined))

    @model_validator(mode="after")
    def _fall_back_to_platform_url(self) -> FluxlitSettings:
        """Take ``PUBLIC_BASE_URL``, which hosting platforms set, when no URL is configured."""
        platform_url = os.environ.get(PLATFORM_URL, "").strip()
        if platform_url and not self.public_base_url.strip():
            self.public_base_url = platform_url
            self._origins["public_base_url"] = Origin(Kind.VARIABLE, PLATFORM_URL)
        return self

    @model_validator(mode="after")
    def _keep_forwardable_headers(self) -> FluxlitSettings:
        accepted, rejected = split_forward_headers(self.gateway_forward_client_headers_to_streamlit)
        self.gateway_forward_client_headers_to_streamlit = accepted
        self._rejected_forward_headers = tuple(rejected)
        return self

    @model_validator(mode="after")
    def _check_paths(self) -> FluxlitSettings:
        try:
            self.api_prefix()
        except ConfigurationError as exc:
            msg = f"{exc.message}; {exc.remedy}"
            raise ValueError(msg) from None
        return self

    @property
    def origins(self) -> Mapping[str, Origin]:
        """Which source gave each setting that does not have its default."""
        return self._origins

    def origin(self, name: str) -> Origin:
        """Return which source gave a setting its value."""
        return self._origins.get(name, DEFAULT)

    def replaced(self, values: Mapping[str, object], kind: Kind = Kind.CODE) -> Self:
        """Return a copy with other values, checked as a whole.

        Args:
            values: Setting to value; these decide before every other source.
            kind: Who says so.

        Raises:
            pydantic.ValidationError: A value is not allowed, or does not go with the others.
        """
        spelt = aliases_of(type(self))
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        given = {spelt.get(name) or name: value for name, value in {**kept, **values}.items()}
        made = type(self).__new__(type(self))
        BaseModel.__init__(made, **given)  # that of the settings would ask the sources again
        changed = {name: said(kind, name) for name in values}
        made._note({**self.origins, **changed}, self.rejected_forward_headers)  # noqa: SLF001 - itself
        return made

    def effective_log_level(self) -> str:
        """Return the log level, which ``debug`` lowers from "info" to "debug"."""
        return "debug" if self.debug and self.log_level == "info" else self.log_level

    def effective_ui_workers(self) -> int:
        """Return how many UI workers this service has: none where its UI is not in workers."""
        return self.wanted_ui_workers() if self.ui_mode == "sidecar" else 0

    def wanted_ui_workers(self) -> int:
        """Return how many were asked for, with "auto" as the cores that this process may use."""
        return min(usable_cpus(), MAX_WORKERS) if self.ui_workers == "auto" else self.ui_workers

    def uses_unix_sockets(self) -> bool:
        """Tell whether gateway and UI workers meet at Unix sockets, not at ports."""
        return self.ui_transport == "unix" or (self.ui_transport == "auto" and HAS_UNIX_SOCKETS)

    def service_secret(self, made: str) -> str:
        """Return the secret that signs this service's cookies and opens its UI workers' ports.

        Args:
            made: One that was made for this start; ``ui_secret`` takes its place.
        """
        shared = self.ui_secret.get_secret_value()
        return derived(shared, "service") if shared else made

    def upstream_key(self) -> str:
        """Return what opens the UI servers of ``streamlit_upstream``, ``""`` where nothing does."""
        has_secret = self.ui_secret.get_secret_value()
        return derived(self.service_secret(""), "door") if has_secret else ""

    def metrics_path(self) -> str:
        """Return where the counts are served under the mount, ``""`` where they are not.

        Under the API's prefix they cannot be: those paths are the API's own.
        """
        path = normalize(self.gateway_prometheus_metrics_path)
        prefix = self.api_prefix()
        taken = bool(prefix) and is_under(path.encode(), prefix.encode())
        return path if self.enable_gateway_prometheus_metrics and not taken else ""

    def public_mount_path(self) -> str:
        """Return the public path of the whole app in normal form, ``""`` for the root."""
        return normalize(self.root_path) or normalize(self.streamlit_public_path)

    def ui_base(self) -> str:
        """Return the UI's path under the mount in normal form, ``""`` for the root."""
        return normalize(self.ui_path)

    def api_prefix(self) -> str:
        """Return the API's path under the mount in normal form, ``""`` when it owns the root.

        Raises:
            ConfigurationError: The API's path and the UI's overlap.

        Example:
            >>> FluxlitSettings().api_prefix()
            '/api'
            >>> FluxlitSettings(ui_path="/ui").api_prefix()
            ''
        """
        chosen = self.api_mount_path if "api_mount_path" in self.model_fields_set else ""
        return _decide_prefix(chosen, self.ui_base())

    def internal_api_base(self) -> str:
        """Return the API's URL as a page sees it; the bytes travel over the private socket.

        The host is the public one where it is known, which is what host checks of the API expect.

        Example:
            >>> FluxlitSettings(gateway_host="::", gateway_port=9000).internal_api_base()
            'http://[::1]:9000/api'
        """
        public = urlsplit(without_password(self.public_base_url.strip())).netloc
        return f"http://{public or self._local_netloc()}{self.api_prefix()}"

    def _local_netloc(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.gateway_host, self.gateway_host)  # noqa: S104 - read, not bound
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"{host}:{self.gateway_port}"

    @property
    def rejected_forward_headers(self) -> tuple[str, ...]:
        """Client header names that were asked for and are never passed on to pages."""
        return self._rejected_forward_headers

    def effective_forwarded_allow_ips(self) -> tuple[str, ...]:
        """Return the proxies whose forwarding headers count: none unless ``trust_proxy`` is on."""
        if not self.trust_proxy:
            return ()
        listed = (part.strip() for part in (self.forwarded_allow_ips or "").split(","))
        return tuple(part for part in listed if part) or LOOPBACK_PROXIES


def _decide_prefix(chosen: str, ui: str) -> str:
    """Decide the API's prefix from what was chosen (blank: nothing) and the UI's path."""
    prefix = normalize(chosen)
    if not ui:
        if prefix or not chosen.strip():
            return prefix or DEFAULT_API_PREFIX
        msg = 'api_mount_path "/" and ui_path "/" both claim the root'
        raise ConfigurationError(msg, remedy='give the UI a path of its own, such as ui_path "/ui"')
    api_bytes, ui_bytes = prefix.encode(), ui.encode()
    if prefix and (is_under(api_bytes, ui_bytes) or is_under(ui_bytes, api_bytes)):
        msg = f'api_mount_path "{prefix}" and ui_path "{ui}" overlap'
        raise ConfigurationError(msg, remedy='choose two separate paths, such as "/api" and "/ui"')
    return prefix

"""The settings of one app, and where their values come from.

The first source that knows a setting decides::

    arguments  →  environment (FLUXLIT_*)  →  .env  →  fluxlit.toml or [tool.fluxlit]  →  default

A blank variable counts as unset. Unknown variables are left alone (others use the prefix too);
unknown keys of the project file are an error.
"""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar, overload

from pydantic import PrivateAttr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from fluxlit._cpus import usable_cpus
from fluxlit._paths import is_under, normalize
from fluxlit.config import _groups as groups
from fluxlit.config._forward_headers import split_forward_headers
from fluxlit.config._values import MAX_WORKERS
from fluxlit.config.files import TARGET_KEY, ProjectFile, read_project_file
from fluxlit.exceptions import ConfigurationError

DEFAULT_API_PREFIX = "/api"
LOOPBACK_PROXIES = ("127.0.0.1", "::1")

_ENV_PREFIX = "FLUXLIT_"


class ProjectFileSource(PydanticBaseSettingsSource):
    """The settings that the project file of the working directory gives."""

    def __init__(self, settings_cls: type[BaseSettings], file: ProjectFile) -> None:
        super().__init__(settings_cls)
        file.check_keys(settings_cls.model_fields)
        self._values = {key: value for key, value in file.values.items() if key != TARGET_KEY}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002 - the signature is the base class's
        """Return one setting's value, its key, and that it needs no decoding."""
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings of the file."""
        return dict(self._values)


class FluxlitSettings(  # pydantic lists the fields of the last group first
    groups.Auth,
    groups.Observability,
    groups.Api,
    groups.Streamlit,
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
        env_prefix=_ENV_PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        defer_build=True,  # the validator is made with the first settings, not at import
        # A validation error of the whole model would print all values, secrets included.
        hide_input_in_errors=True,
    )

    _rejected_forward_headers: tuple[str, ...] = PrivateAttr(())

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
        project_file = ProjectFileSource(settings_cls, read_project_file(Path.cwd()))
        return init_settings, env_settings, dotenv_settings, file_secret_settings, project_file

    @model_validator(mode="after")
    def _fall_back_to_platform_url(self) -> FluxlitSettings:
        """Take ``PUBLIC_BASE_URL``, which hosting platforms set, when no URL is configured."""
        platform_url = os.environ.get("PUBLIC_BASE_URL", "").strip()
        if platform_url and not self.public_base_url.strip():
            self.public_base_url = platform_url
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

    @model_validator(mode="after")
    def _check_proxies(self) -> FluxlitSettings:
        for proxy in self.effective_forwarded_allow_ips():
            if proxy not in {"*", "unix"}:
                try:
                    ip_network(proxy, strict=False)
                except ValueError:
                    msg = f'forwarded_allow_ips: {proxy!r} is no address, network, "unix" or "*"'
                    raise ValueError(msg) from None
        return self

    def effective_log_level(self) -> str:
        """Return the log level, which ``debug`` lowers from "info" to "debug"."""
        return "debug" if self.debug and self.log_level == "info" else self.log_level

    def effective_ui_workers(self) -> int:
        """Return the number of UI workers, with "auto" as the cores that this process may use."""
        return min(usable_cpus(), MAX_WORKERS) if self.ui_workers == "auto" else self.ui_workers

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


SettingsT = TypeVar("SettingsT", bound=FluxlitSettings)


@overload
def load_settings(**values: Any) -> FluxlitSettings: ...
@overload
def load_settings(settings_cls: type[SettingsT], /, **values: Any) -> SettingsT: ...
def load_settings(
    settings_cls: type[FluxlitSettings] = FluxlitSettings, /, **values: Any
) -> FluxlitSettings:
    """Make settings, and say in one sentence what is wrong if they cannot be made.

    Args:
        settings_cls: The class to make, for apps with settings of their own.
        values: Settings given in code; they come before every other source.

    Raises:
        ConfigurationError: A value is not allowed. Names the variable, file or argument it came
            from, and what is allowed.
    """
    try:
        return settings_cls(**values)
    except ValidationError as exc:
        problems = [_describe(error, settings_cls, values) for error in exc.errors()]
        raise ConfigurationError("; ".join(problems), remedy="correct the value") from None
    except SettingsError as exc:
        raise ConfigurationError(str(exc), remedy="correct the value") from exc


def _describe(
    error: ErrorDetails, settings_cls: type[FluxlitSettings], values: dict[str, object]
) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    field = settings_cls.model_fields.get(name)
    shown = f", not {error['input']!r}" if field is not None and field.repr else ""
    return f"{_origin(name, settings_cls, values)}: {message}{shown}"


def _origin(name: str, settings_cls: type[FluxlitSettings], values: dict[str, object]) -> str:
    """Find out which source gave a setting, in the order in which they decide."""
    variable = f"{_ENV_PREFIX}{name.upper()}"
    if name in values:
        return f"argument {name}"
    if name in EnvSettingsSource(settings_cls)():
        return variable
    if name in DotEnvSettingsSource(settings_cls)():
        return f"{variable} in .env"
    file = read_project_file(Path.cwd())
    return f"{name} in {file.name}" if name in file.values else name

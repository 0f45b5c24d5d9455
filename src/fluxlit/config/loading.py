"""Making settings, with one sentence that says what is wrong when they cannot be made."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar, overload

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SettingsError

from fluxlit.config.files import read_project_file
from fluxlit.config.provenance import Kind, locate, note_origins
from fluxlit.config.settings import FluxlitSettings
from fluxlit.config.snapshot import REDACTED, redacted
from fluxlit.config.sources import variables_of
from fluxlit.exceptions import ConfigurationError

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
        ConfigurationError: A value is not allowed. Names the variable, the file and line or the
            argument it came from, and what is allowed.
    """
    with _explained(settings_cls, values):
        return settings_cls(**values)


class SettingsAlias(GenericAlias):
    """``Thing[MySettings]``, whose call makes settings of that class where none are given.

    ``typing`` tells an object its parameters only after its constructor has run.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the thing."""
        settings_cls = self.__args__[0]
        if kwargs.get("settings") is None and isinstance(settings_cls, type):
            kwargs["settings"] = load_settings(settings_cls)
        return super().__call__(*args, **kwargs)  # type: ignore[misc] # the stubs lack it


def replace_settings(
    settings: SettingsT, values: Mapping[str, object], kind: Kind = Kind.CODE
) -> SettingsT:
    """Return a copy of settings with other values, checked as a whole.

    Args:
        settings: What there is.
        values: Setting to value.
        kind: Who says so: the command line or code.

    Raises:
        ConfigurationError: A value is not allowed, or does not go with the others.
    """
    if not values:
        return settings
    with _explained(type(settings), values, kind):
        return settings.replaced(values, kind)


def with_arguments(
    settings: SettingsT,
    title: str | None,
    run_args: Sequence[str] | None,
    page_config: Mapping[str, Any] | None,
) -> SettingsT:
    """Merge an app's arguments into a copy: another app may share the settings object.

    Args:
        settings: What there is.
        title: The app's name; None leaves it.
        run_args: More options for Streamlit.
        page_config: More arguments for ``st.set_page_config``.
    """
    changed: dict[str, Any] = {} if title is None else {"title": title}
    if run_args:
        changed["streamlit_run_cli_args"] = [*settings.streamlit_run_cli_args, *run_args]
    if page_config:
        changed["streamlit_page_config"] = {**settings.streamlit_page_config, **page_config}
    return replace_settings(settings, changed)


def existing_script(script: str | Path | None) -> Path | None:
    """Return the absolute path of a script.

    Raises:
        ConfigurationError: There is none.
    """
    if script is None:
        return None
    path = Path(script).resolve()
    if not path.is_file():
        msg = f"streamlit_script {str(script)!r} does not exist (looked for {path})"
        raise ConfigurationError(msg, remedy="give a path relative to the working directory")
    return path


@contextlib.contextmanager
def _explained(
    settings_cls: type[FluxlitSettings], values: Mapping[str, object], kind: Kind = Kind.CODE
) -> Iterator[None]:
    """Turn what pydantic says into what a person can act on."""
    try:
        yield
    except ValidationError as exc:
        sources = sources_of(settings_cls, values, kind)
        problems = [_describe(error, settings_cls, sources) for error in exc.errors()]
        raise ConfigurationError("; ".join(problems), remedy="correct the value") from None
    except SettingsError as exc:
        raise ConfigurationError(str(exc), remedy="correct the value") from exc
    except UnicodeDecodeError as exc:  # pydantic wraps those of validators
        msg = f".env is not UTF-8: {exc.reason}, byte {exc.start}"
        raise ConfigurationError(msg, remedy="save it as UTF-8") from None


def _describe(
    error: ErrorDetails,
    settings_cls: type[FluxlitSettings],
    sources: Mapping[Kind, Mapping[str, object]],
) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"{message}{_named_in(message, settings_cls, sources)}"
    name = str(error["loc"][0])
    field = settings_cls.model_fields.get(name)
    given = redacted(name, error["input"], field) if field is not None else REDACTED
    shown = "" if given == REDACTED else f", not {given!r}"
    return f"{_origin(name, settings_cls, sources)}: {message}{shown}"


def _named_in(
    message: str,
    settings_cls: type[FluxlitSettings],
    sources: Mapping[Kind, Mapping[str, object]],
) -> str:
    """Tell where the settings come from that an error about several of them names."""
    named = [name for name in settings_cls.model_fields if re.search(rf"\b{name}\b", message)]
    told = [origin for name in named if (origin := _origin(name, settings_cls, sources)) != name]
    return f" (said by {' and '.join(told)})" if told else ""


def _origin(
    name: str, settings_cls: type[FluxlitSettings], sources: Mapping[Kind, Mapping[str, object]]
) -> str:
    """Find out which source gave a setting that could not be made."""
    file = read_project_file(Path.cwd())
    noted = note_origins(variables_of(settings_cls), sources, file.name)
    return str(locate(noted[name], Path.cwd())) if name in noted else name


def sources_of(
    settings_cls: type[FluxlitSettings], values: Mapping[str, object], kind: Kind = Kind.CODE
) -> dict[Kind, Mapping[str, object]]:
    """Return what each source says at this moment, in the order in which they decide.

    Args:
        settings_cls: Whose settings.
        values: What code or the command line says.
        kind: Which of the two.
    """
    return {
        kind: values,
        Kind.VARIABLE: EnvSettingsSource(settings_cls)(),
        Kind.DOTENV: DotEnvSettingsSource(settings_cls)(),
        Kind.FILE: read_project_file(Path.cwd()).values,
    }

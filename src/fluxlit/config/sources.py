"""The sources of settings beside the environment: the project file, and a note of who gave what."""

from __future__ import annotations

from typing import Any, Final

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from fluxlit.config.files import TARGET_KEY, ProjectFile
from fluxlit.config.provenance import Kind, note_origins

NOTES_KEY: Final = "fluxlit_origins"
"""Under this name the notes travel to the settings that are being made, which take them out."""

KIND_OF_SOURCE: Final = {
    "InitSettingsSource": Kind.CODE,
    "EnvSettingsSource": Kind.VARIABLE,
    "DotEnvSettingsSource": Kind.DOTENV,
    "SecretsSettingsSource": Kind.SECRET_FILE,
    "ProjectFileSource": Kind.FILE,
}


class _Source(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings], file: ProjectFile) -> None:
        super().__init__(settings_cls)
        self.file = file

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002 - the signature is the base class's
        """Return one setting's value, its key, and that it needs no decoding."""
        return self.file.values.get(field_name), field_name, False


class ProjectFileSource(_Source):
    """The settings that the project file of the working directory gives."""

    def __call__(self) -> dict[str, Any]:
        """Return the settings of the file.

        Raises:
            ConfigurationError: The file has an unknown key.
        """
        self.file.check_keys(self.settings_cls.model_fields)
        return {key: value for key, value in self.file.values.items() if key != TARGET_KEY}


class OriginNotes(_Source):
    """The last source: gives no setting, but notes which of the others gave each."""

    def __call__(self) -> dict[str, Any]:
        """Return the notes."""
        given = {
            KIND_OF_SOURCE[name]: values
            for name, values in self.settings_sources_data.items()
            if name in KIND_OF_SOURCE
        }
        return {NOTES_KEY: note_origins(variables_of(self.settings_cls), given, self.file.name)}


def aliases_of(settings_cls: type[BaseSettings]) -> dict[str, str | None]:
    """Return the name of each setting with its alias, the first one of several."""
    return {name: _alias(field) for name, field in settings_cls.model_fields.items()}


def variables_of(settings_cls: type[BaseSettings]) -> dict[str, str]:
    """Return the name of each setting with the environment variable that sets it."""
    prefix = settings_cls.model_config.get("env_prefix", "")
    return {
        name: alias or f"{prefix}{name}".upper() for name, alias in aliases_of(settings_cls).items()
    }


def _alias(field: FieldInfo) -> str | None:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else None

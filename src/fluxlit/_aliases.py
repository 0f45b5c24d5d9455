"""Names under which pydantic looks for a model's fields."""

from __future__ import annotations

from pydantic import AliasChoices, AliasPath
from pydantic.fields import FieldInfo


def aliases_of(info: FieldInfo) -> list[str]:
    """Return the names besides its own under which a field is found, the first first."""
    return [choice for choice in _choices(info) if isinstance(choice, str)]


def lists_with(info: FieldInfo) -> list[str]:
    """Return the names of the lists that hold a field at some place: ``AliasPath("tags", 0)``."""
    paths = [choice.path for choice in _choices(info) if isinstance(choice, AliasPath)]
    return [path[0] for path in paths if isinstance(path[0], str)]


def _choices(info: FieldInfo) -> list[str | AliasPath | None]:
    said = info.validation_alias or info.alias
    return [*said.choices] if isinstance(said, AliasChoices) else [said]

"""The effective settings as they may be shown to a terminal, a log or a colleague: no secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args
from urllib.parse import parse_qsl

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from fluxlit._credentials import without_password
from fluxlit._types import JsonValue
from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Finding
from fluxlit.config.project import ProjectConfig
from fluxlit.config.provenance import DEFAULT, Origin, locate
from fluxlit.config.settings import FluxlitSettings
from fluxlit.logging import DEFAULT_SENSITIVE_QUERY_KEYS, redact_query_string

REDACTED: Final = "[REDACTED]"

_SECRET_NAME: Final = re.compile(
    r"(secret|token|passw(or)?d|passphrase|authorization|credential|(?<![a-z])cookie"
    r"|(api|private|access|signing|encryption)[-_]?key)s?$",
    re.IGNORECASE,
)


def redacted_settings(settings: FluxlitSettings) -> dict[str, JsonValue]:
    """Return every setting as JSON, with secrets replaced by ``[REDACTED]``.

    Secret is what :func:`redacted` says.
    """
    fields = type(settings).model_fields
    dumped = settings.model_dump(mode="json")
    return {name: redacted(name, value, fields[name]) for name, value in dumped.items()}


def redacted(name: str, value: JsonValue, field: FieldInfo) -> JsonValue:
    """Return a setting's value as it may be shown.

    Secret is a ``SecretStr``, a field that keeps out of its model's ``repr``, text with a name such
    as ``api_token`` or ``password``, and in a URL user, password and what its query calls so.
    """
    return _redacted(name, value, is_secret=not field.repr or _holds_secrets(field.annotation))


def _holds_secrets(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_holds_secrets, get_args(annotation)))


def _redacted(name: str, value: JsonValue, *, is_secret: bool = False) -> JsonValue:
    match value:
        case dict():
            return {key: _redacted(key, item, is_secret=is_secret) for key, item in value.items()}
        case list():
            return [
                _redacted(_name_of(item, before) or name, item, is_secret=is_secret)
                for before, item in zip([None, *value], value, strict=False)
            ]
        case str() if value.strip() and (is_secret or _SECRET_NAME.search(name)):
            return REDACTED
        case str():
            return without_password(_without_query(_without_option(value)), f"{REDACTED}@")
    return REDACTED if is_secret and value is not None else value


def _without_option(text: str) -> str:
    """Redact ``--server.cookieSecret=...``."""
    option, mark, _ = text.partition("=")
    is_secret = option.startswith("--") and mark and _SECRET_NAME.search(option)
    return f"{option}={REDACTED}" if is_secret else text


def _without_query(text: str) -> str:
    """Redact the secrets in a URL's query: many services take a token there."""
    address, mark, query = text.partition("?")
    if not mark or "://" not in address:
        return text
    names = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
    has_secret = not names.isdisjoint(DEFAULT_SENSITIVE_QUERY_KEYS)
    return f"{address}?{redact_query_string(query)}" if has_secret else text


def _name_of(item: JsonValue, before: JsonValue) -> str:
    """Return the option whose value an item of a command line is; blank if it is none's."""
    is_value = isinstance(item, str) and not item.startswith("--")
    return before if is_value and isinstance(before, str) and before.startswith("--") else ""


def located_origins(settings: FluxlitSettings, directory: Path) -> dict[str, Origin]:
    """Return the origin of every setting, down to the line of a file in *directory*."""
    return {
        name: locate(settings.origins.get(name, DEFAULT), directory)
        for name in type(settings).model_fields
    }


def configuration_payload(
    target: str,
    deployment: Deployment,
    origins: Mapping[str, Origin],
    project: ProjectConfig | None,
    findings: list[Finding],
) -> dict[str, JsonValue]:
    """Return what ``fluxlit config --json`` prints; ``config.schema.json`` describes it.

    Args:
        target: Where the app is.
        deployment: How it would run.
        origins: Where each value comes from.
        project: What the project file says about starting the app.
        findings: What the rule book says.
    """
    settings = deployment.settings
    values = {} if project is None else {n: getattr(project, n) for n in project.__slots__}
    said: dict[str, JsonValue] = {
        name: value for name, value in values.items() if value is not None
    }
    return {
        "target": target,
        "binding": {
            "host": settings.gateway_host,
            "port": settings.gateway_port,
            "log_level": settings.effective_log_level(),
        },
        "project_file": said or None,
        "computed": {
            "public_mount_path": settings.public_mount_path(),
            "derived_internal_api_base": settings.internal_api_base(),
            "ambient_internal_api_base": without_password(deployment.internal_api_base) or None,
        },
        "settings": redacted_settings(settings),
        "sources": {
            name: {
                "source": origin.kind.value,
                "name": origin.name or None,
                "file": origin.file or None,
                "line": origin.line or None,
            }
            for name, origin in origins.items()
        },
        "warnings": [warning_payload(finding) for finding in findings],
    }


def warning_payload(finding: Finding) -> dict[str, JsonValue]:
    """Return a finding as ``fluxlit config --json`` shows it."""
    return {
        "level": finding.level.name.lower(),
        "code": finding.name,
        "message": finding.message,
        "remedy": finding.remedy,
        "doc": finding.doc,
    }

"""Log lines as JSON, one object a line, for collectors that read standard error."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

from pythonjsonlogger.json import JsonFormatter

from fluxlit.logging.fields import JSON_LOG_BASE_FIELDS

_TIME, _LEVEL, _LOGGER, _MESSAGE = JSON_LOG_BASE_FIELDS
_EXCEPTION: Final = "exception"


class JsonLogFormatter(JsonFormatter):
    """Writes a record as one JSON object: the base fields, its extras, and its exception.

    An extra whose name begins with an underscore is left out, and one that is called as a base
    field does not replace it. Values that JSON has no form for are written as text; bytes as UTF-8.

    Args:
        fmt: As for :class:`logging.Formatter`: more of its fields to write, by name.
        datefmt: Form of the time; ISO 8601 in UTC without it.
        style: Of *fmt*.
        validate: Whether *fmt* is checked.
        defaults: Fields for records that lack them, such as the name of the service.

    Example:
        >>> handler = logging.StreamHandler()
        >>> handler.setFormatter(JsonLogFormatter(defaults={"service": "desk"}))
        >>> logging.getLogger("fluxlit").addHandler(handler)
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            fmt, datefmt, style, validate,
            defaults=dict(defaults or {}),
        )  # fmt: skip

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return super().format(record)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Write the fields as JSON that every collector reads, and that every stream takes."""
        try:
            line = json.dumps(log_data, default=_as_text, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):  # NaN, odd keys, circles: rare, so later
            plain = {str(key): _plain(value) for key, value in log_data.items()}
            line = json.dumps(plain, default=_as_text, ensure_ascii=False)
        return line.encode("utf-8", "replace").decode()

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """Return when a record was made."""
        if datefmt:
            return super().formatTime(record, datefmt)
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """Gather the fields of a record."""
        gathered: dict[str, Any] = {}
        super().add_fields(gathered, record, message_dict)
        trace, stack = gathered.pop("exc_info", None), gathered.pop("stack_info", None)
        log_data[_TIME] = self.formatTime(record, self.datefmt)
        log_data[_LEVEL] = record.levelname
        log_data[_LOGGER] = record.name
        log_data[_MESSAGE] = record.message or gathered.pop(_MESSAGE, "")
        for name, value in gathered.items():
            if not name.startswith("_"):
                log_data.setdefault(name, value)
        if trace or stack:
            log_data[_EXCEPTION] = "\n".join(part for part in (trace, stack) if part)


def _as_text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, date | time) else repr(value)


def _plain(value: object) -> object:
    """Return a value that JSON has a form for, or else the text of all of it."""
    try:
        json.dumps(value, default=_as_text, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    return value

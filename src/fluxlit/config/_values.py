"""The kinds of value that settings are made of: each is a type with its rule and its reading.

A value may come from code, from a file or, as text, from the environment; lists and tables are
read from text here, so that a wrong one is an ordinary validation error that names its field.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

LOG_LEVELS: Final = ("critical", "error", "warning", "info", "debug", "trace")

MAX_WORKERS: Final = 64
"""Workers of one kind; beyond a machine's cores more of them only take memory."""

_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,=:@-]+")


def _read_list(value: object) -> object:
    """Read a list from text: JSON when it starts like JSON, comma-separated otherwise."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    return _read_json(text, 'a JSON list such as ["a", "b"], or a,b')


def _read_table(value: object) -> object:
    """Read a table from text, as JSON."""
    if not isinstance(value, str):
        return value
    return _read_json(value, 'a JSON object such as {"name": "value"}')


def _read_json(text: str, wanted: str) -> object:
    try:
        return json.loads(text)
    except ValueError as exc:
        msg = f"expected {wanted} ({exc})"
        raise ValueError(msg) from None


def _check_log_level(value: str) -> str:
    level = value.strip().lower()
    if level not in LOG_LEVELS:
        msg = f"expected one of {', '.join(LOG_LEVELS)}"
        raise ValueError(msg)
    return level


def _check_header_value(value: str) -> str:
    """Join lines to one; refuse what a header cannot carry (RFC 9110 section 5.5)."""
    joined = " ".join(value.split())
    if joined and not (joined.isascii() and joined.isprintable()):
        msg = "expected printable ASCII characters"
        raise ValueError(msg)
    return joined


def _read_workers(value: object) -> object:
    """Read a number of workers, or "auto"."""
    text = str(value).strip().lower()
    if text == "auto":
        return text
    if not text.isdecimal() or not 1 <= int(text) <= MAX_WORKERS:
        msg = f'expected a number from 1 to {MAX_WORKERS}, or "auto"'
        raise ValueError(msg)
    return int(text)


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _check_public_path(value: str) -> str:
    """Refuse what would make a raw path ambiguous; the gateway compares paths byte for byte.

    A semicolon, too: it would end the path of a cookie (RFC 6265 section 4.1.1).
    """
    for segment in value.strip().split("/"):
        if segment in {".", ".."} or (segment and not _SEGMENT.fullmatch(segment)):
            msg = (
                f"expected a plain path such as /apps/my-app; {segment!r} cannot be a part of it "
                "(no escapes, dots alone, query or spaces)"
            )
            raise ValueError(msg)
    if "://" in value:
        msg = "expected a path such as /apps/my-app, not a URL"
        raise ValueError(msg)
    return value


def _check_proxies(value: str | None) -> str | None:
    """Refuse what stands for no peer; the gateway would believe nobody there."""
    for proxy in filter(None, map(str.strip, (value or "").split(","))):
        if proxy not in {"*", "unix"}:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                msg = f'{proxy!r} is no address, network, "unix" or "*"'
                raise ValueError(msg) from None
    return value


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
OptionalSeconds = Annotated[float | None, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(gt=0)]
Workers = Annotated[int | Literal["auto"], BeforeValidator(_read_workers)]
UIMode = Annotated[Literal["sidecar", "embedded", "remote"], BeforeValidator(_lowered)]
UITransport = Annotated[Literal["auto", "unix", "tcp"], BeforeValidator(_lowered)]
LogLevel = Annotated[
    str, AfterValidator(_check_log_level), Field(json_schema_extra={"enum": list(LOG_LEVELS)})
]
HeaderValue = Annotated[str, AfterValidator(_check_header_value)]
Proxies = Annotated[str | None, AfterValidator(_check_proxies)]
PublicPath = Annotated[str, AfterValidator(_check_public_path)]
Strings = Annotated[list[str], NoDecode, BeforeValidator(_read_list)]
# Handed on to FastAPI's CORS middleware and to Streamlit, whose own types decide what is allowed.
Table = Annotated[dict[str, Any], NoDecode, BeforeValidator(_read_table)]

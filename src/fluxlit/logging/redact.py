"""What must never reach a log line: credentials in headers and in query strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

DEFAULT_SENSITIVE_QUERY_KEYS: Final = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "auth_code",
        "client_secret",
        "code",
        "fluxlit_sid",
        "id_token",
        "password",
        "refresh_token",
        "secret",
        "session_state",
        "sig",
        "signature",
        "state",
        "token",
    }
)

_REDACTED: Final = "<redacted>"
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-xsrftoken"}
)


def redact_authorization(value: str | None) -> str:
    """Keep the scheme of an ``Authorization`` value, drop the credential.

    >>> redact_authorization("Bearer abc"), redact_authorization("abc"), redact_authorization("")
    ('Bearer <redacted>', '<redacted>', '')
    """
    scheme, _, credential = (value or "").strip().partition(" ")
    if not scheme:
        return ""
    if credential and scheme.lower() in {"basic", "bearer"}:
        return f"{scheme.title()} {_REDACTED}"
    return _REDACTED


def sanitize_headers(headers: Mapping[str, object]) -> dict[str, str]:
    """Copy headers for a log, with every credential replaced.

    >>> sanitize_headers({"Accept": "*/*", "Cookie": "a=b"})
    {'Accept': '*/*', 'Cookie': '<redacted>'}
    """
    return {name: _sanitized(name.lower(), str(value)) for name, value in headers.items()}


def _sanitized(name: str, value: str) -> str:
    if name == "authorization":
        return redact_authorization(value)
    return _REDACTED if name in _SECRET_HEADERS else value


def redact_query_string(query_string: str, *, sensitive_keys: Iterable[str] | None = None) -> str:
    """Replace the values of sensitive keys in a query string.

    Args:
        query_string: The query without its question mark.
        sensitive_keys: Names to redact, compared without case; they replace
            :data:`DEFAULT_SENSITIVE_QUERY_KEYS`.

    >>> redact_query_string("page=1&auth_code=s3cret")
    'page=1&auth_code=%3Credacted%3E'
    """
    if not query_string:
        return ""
    chosen = DEFAULT_SENSITIVE_QUERY_KEYS if sensitive_keys is None else sensitive_keys
    secret = {key.lower() for key in chosen}
    pairs = parse_qsl(query_string, keep_blank_values=True)
    return urlencode([(key, _REDACTED if key.lower() in secret else value) for key, value in pairs])

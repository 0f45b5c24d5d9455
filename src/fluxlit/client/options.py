"""What a call may be given besides its path, with the meaning it has in httpx2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict

import httpx2

HeaderFactory = Callable[[], Mapping[str, str]]
Headers = Mapping[str, str]
Timeout = float | httpx2.Timeout | None
Scalar = str | int | float | bool | None


class ClientOptions(TypedDict, total=False):
    """What a client may be made with besides its base URL and its credentials."""

    timeout: Timeout
    default_headers: Headers | None
    propagate_request_id: bool
    transport: httpx2.BaseTransport | None
    environ: Mapping[str, str] | None


class RequestOptions(TypedDict, total=False):
    """What every verb accepts."""

    params: Mapping[str, Scalar | Sequence[Scalar]] | list[tuple[str, Scalar]] | str | bytes
    headers: Headers
    cookies: dict[str, str]
    auth: tuple[str, str] | httpx2.Auth | Callable[[httpx2.Request], httpx2.Request] | None
    follow_redirects: bool
    timeout: Timeout
    extensions: Mapping[str, Any]


class SendOptions(RequestOptions, total=False):
    """What the verbs with a body accept besides."""

    content: str | bytes | Iterable[bytes]
    data: Mapping[str, Any]
    files: Mapping[str, Any] | Sequence[tuple[str, Any]]
    json: Any

"""The errors of a call: each is an error of httpx2 and of FluxLit, and names method and path.

Neither a query nor a header ever enters a message, because both may carry secrets.
"""

from __future__ import annotations

from collections.abc import Container
from typing import ClassVar, Final, Self

import httpx2

from fluxlit.exceptions import FluxLitError

DETAIL_CHARACTERS: Final = 200
DETAIL_BODY_BYTES: Final = 65_536


class ApiError(httpx2.HTTPStatusError, FluxLitError):
    """The API answered, and the answer is no success. Names method, path, status and detail.

    Attributes:
        STATUS: The statuses that a more exact class of this family stands for.
    """

    STATUS: ClassVar[Container[int]] = ()

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.response.status_code

    @property
    def detail(self) -> str:
        """What the API says about it: FastAPI's ``detail`` in one line, or ``""``."""
        return _detail(self.response)

    @classmethod
    def from_response(cls, response: httpx2.Response) -> Self:
        """Make the error for an answer; the query and all headers stay out of its words."""
        detail = _detail(response)
        message = (
            f"{response.request.method} {_path_of(response.request)} answered "
            f"{response.status_code} {response.reason_phrase}".rstrip()
        )
        message = f"{message}: {detail}" if detail else message
        kind = cls
        for found in (item for item in cls.__subclasses__() if response.status_code in item.STATUS):
            kind = found
        return kind(message, request=response.request, response=response)


class ApiUnauthorizedError(ApiError):
    """The API does not know who is calling (401)."""

    STATUS = (401,)


class ApiForbiddenError(ApiError):
    """The API knows who is calling and refuses (403)."""

    STATUS = (403,)


class ApiNotFoundError(ApiError):
    """What was asked for is not there (404), or no longer (410)."""

    STATUS = (404, 410)


class ApiConflictError(ApiError):
    """What was asked for does not fit the present state (409)."""

    STATUS = (409,)


class ApiInvalidError(ApiError):
    """What was sent is not what the API expects (422)."""

    STATUS = (422,)


class ApiServerError(ApiError):
    """The API failed (500 to 599)."""

    STATUS = range(500, 600)


class ApiUnavailableError(httpx2.TransportError, FluxLitError):
    """The API could not be reached, or hung up before it had answered."""


class ApiTimeoutError(ApiUnavailableError, httpx2.TimeoutException):
    """The API did not answer in time."""


def _path_of(request: httpx2.Request) -> str:
    return request.url.raw_path.partition(b"?")[0].decode("ascii")


def _detail(response: httpx2.Response) -> str:
    """Take a short, one-line excerpt of FastAPI's ``detail``; ``""`` when there is none."""
    if len(response.content) > DETAIL_BODY_BYTES:
        return ""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
    if isinstance(detail, list):  # validation errors; what was sent stays out
        detail = "; ".join(_problem(item) for item in detail[:3])
    words = " ".join(str(detail).split()) if isinstance(detail, str) else ""
    text = "".join(character for character in words if character.isprintable())
    return text if len(text) <= DETAIL_CHARACTERS else f"{text[:DETAIL_CHARACTERS]}…"


def _problem(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    where = ".".join(str(part) for part in item.get("loc", ()))
    return f"{where}: {item.get('msg', '')}"


def unavailable(exc: httpx2.TransportError, endpoint: object) -> ApiUnavailableError:
    """Say what happened on the way to the API, and what the likely cause is."""
    what = f"{exc.request.method} {_path_of(exc.request)}"
    error: type[ApiUnavailableError] = ApiUnavailableError
    if isinstance(exc, httpx2.TimeoutException):
        error, happened = ApiTimeoutError, "did not answer in time"
        remedy = "the API is busy or waits for something; pass a longer timeout= if that is normal"
    elif isinstance(exc, httpx2.ConnectError):
        happened = f"cannot be reached ({exc})"
        remedy = "the server is not running, is restarting, or listens somewhere else"
    else:
        happened = f"hung up before it had answered ({type(exc).__name__})"
        remedy = "the server was stopped or restarted meanwhile; see its log"
    found = error(f"{what}: the API at {endpoint} {happened}: {remedy}", request=exc.request)
    found.remedy = remedy
    return found

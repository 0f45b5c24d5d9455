"""The request id: one short word that API, page, log and response share."""

from __future__ import annotations

import re
from contextvars import ContextVar, Token
from random import getrandbits
from typing import Final

REQUEST_ID_HEADER: Final = "x-request-id"

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

request_id_ctx: ContextVar[str | None] = ContextVar("fluxlit_request_id", default=None)


def is_well_formed(value: str) -> bool:
    """Tell whether a client's id may be used: bounded, printable, safe in a log line.

    >>> is_well_formed("b7ad6b7169203331"), is_well_formed("a b"), is_well_formed("x" * 129)
    (True, False, False)
    """
    return _WELL_FORMED.fullmatch(value) is not None


def new_request_id() -> str:
    """Make an id: 128 random bits as 32 hexadecimal digits; it guards nothing."""
    return f"{getrandbits(128):032x}"


def get_request_id() -> str | None:
    """Return the id of the request that is being served, if there is one."""
    return request_id_ctx.get()


def set_request_id(value: str | None) -> Token[str | None]:
    """Set the id for this context; hand the token to :func:`reset_request_id`."""
    return request_id_ctx.set(value)


def reset_request_id(token: Token[str | None]) -> None:
    """Undo :func:`set_request_id`."""
    request_id_ctx.reset(token)

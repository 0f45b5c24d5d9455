"""The request id: one short word that API, page, log and response share."""

from __future__ import annotations

import os
import re
from contextvars import ContextVar, Token
from typing import Final

REQUEST_ID_HEADER: Final = "x-request-id"

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

_ID_BYTES: Final = 16
_IN_STOCK: Final = 100

request_id_ctx: ContextVar[str | None] = ContextVar("fluxlit_request_id", default=None)


def is_well_formed(value: str) -> bool:
    """Tell whether a client's id may be used: bounded, printable, safe in a log line.

    >>> is_well_formed("b7ad6b7169203331"), is_well_formed("a b"), is_well_formed("x" * 129)
    (True, False, False)
    """
    return _WELL_FORMED.fullmatch(value) is not None


class _Supply:
    """Ids in stock: made a hundred at a time, each costs a request a fraction of a microsecond."""

    def __init__(self) -> None:
        self._stock: list[str] = []
        if hasattr(os, "register_at_fork"):  # a forked child must not hand the same ones out
            os.register_at_fork(after_in_child=self._stock.clear)

    def take(self) -> str:
        if not self._stock:
            digits = os.urandom(_ID_BYTES * _IN_STOCK).hex()
            size = 2 * _ID_BYTES
            self._stock += [digits[at : at + size] for at in range(0, len(digits), size)]
        return self._stock.pop()


_SUPPLY: Final = _Supply()


def new_request_id() -> str:
    """Make an id: 128 random bits as 32 hexadecimal digits."""
    return _SUPPLY.take()


def get_request_id() -> str | None:
    """Return the id of the request that is being served, if there is one."""
    return request_id_ctx.get()


def set_request_id(value: str | None) -> Token[str | None]:
    """Set the id for this context; hand the token to :func:`reset_request_id`."""
    return request_id_ctx.set(value)


def reset_request_id(token: Token[str | None]) -> None:
    """Undo :func:`set_request_id`."""
    request_id_ctx.reset(token)

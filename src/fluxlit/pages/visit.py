"""What the browser's request says: query string, headers and cookies of one run, read when asked.

In a test, or where there is no browser, the two context variables stand in for headers and cookies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from typing import Any

from fluxlit.deep_links import query_values
from fluxlit.logging import REQUEST_ID_HEADER, is_well_formed, set_request_id
from fluxlit.pages.markers import Place

_headers: ContextVar[Mapping[str, str] | None] = ContextVar("page_headers", default=None)
_cookies: ContextVar[Mapping[str, str] | None] = ContextVar("page_cookies", default=None)


def set_page_header_context(headers: Mapping[str, str]) -> Token[Mapping[str, str] | None]:
    """Let pages of this context read these headers; returns what the reset needs."""
    return _headers.set({name.lower(): value for name, value in headers.items()})


def reset_page_header_context(token: Token[Mapping[str, str] | None]) -> None:
    """Undo one :func:`set_page_header_context`."""
    _headers.reset(token)


def set_page_cookie_context(cookies: Mapping[str, str]) -> Token[Mapping[str, str] | None]:
    """Let pages of this context read these cookies; returns what the reset needs."""
    return _cookies.set({name.lower(): value for name, value in cookies.items()})


def reset_page_cookie_context(token: Token[Mapping[str, str] | None]) -> None:
    """Undo one :func:`set_page_cookie_context`."""
    _cookies.reset(token)


class Visit:
    """The request that opened a page, as far as pages may read it.

    Args:
        st: The ``streamlit`` module, or a stand-in with as much of it as is at hand.
    """

    def __init__(self, st: Any) -> None:
        self._st = st

    def values(self, place: Place, name: str) -> list[str]:
        """Return every value of that name; none when it is missing."""
        if place is Place.HEADER:
            return _look_up(name, _headers.get(), self._of_context("headers"))
        if place is Place.COOKIE:
            return _look_up(name, _cookies.get(), self._of_context("cookies"))
        return self.query().get(name, [])

    def query(self) -> dict[str, list[str]]:
        """Return the query string's parameters."""
        return query_values(self._st)

    def header_lines(self) -> list[tuple[str, str]]:
        """Return all headers, one item for each line, and the cookies among them."""
        said, cookies = _headers.get() or {}, _cookies.get()
        own = {*(name.lower() for name in said), *(() if cookies is None else ("cookie",))}
        found = self._of_context("headers") or {}
        lines = [(it, line) for it in found if it.lower() not in own for line in _all_of(found, it)]
        lines += said.items()
        if cookies:
            lines.append(
                ("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))
            )
        return lines

    def url(self) -> str:
        """Return the page's address without its query; empty where it is not known."""
        return self._told("url")

    def client(self) -> str:
        """Return the visitor's IP address; empty where it is not known."""
        return self._told("ip_address")

    def _told(self, name: str) -> str:
        return getattr(getattr(self._st, "context", None), name, None) or ""

    def _of_context(self, name: str) -> Mapping[str, str] | None:
        found = getattr(getattr(self._st, "context", None), name, None)
        return found if hasattr(found, "items") else None


def _look_up(name: str, *sources: Mapping[str, str] | None) -> list[str]:
    """Find all values of a name, whatever its case: in the first source that has it."""
    for source in sources:
        if source is not None and (found := _all_of(source, name)):
            return found
    return []


def _all_of(source: Any, name: str) -> list[str]:
    if hasattr(source, "get_all"):  # Streamlit's headers, which take any case
        return list(source.get_all(name))
    one = source.get(name.lower()) if hasattr(source, "get") else None
    if one is None:
        one = _whatever_case(name, source.items())
    return [] if one is None else [one]


def _whatever_case(name: str, items: Iterable[tuple[str, str]]) -> str | None:
    return next((value for key, value in items if key.lower() == name.lower()), None)


def adopt_request_id(st: Any) -> None:
    """Carry on the id of the request that opened this page's WebSocket."""
    value = st.context.headers.get(REQUEST_ID_HEADER)
    set_request_id(value if value and is_well_formed(value) else None)

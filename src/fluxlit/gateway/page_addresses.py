"""Addresses with path parameters: ``/users/3`` leads to ``/users-by-id?id=3``.

Streamlit has one level of pages and refers to its own files relative to it, so a page cannot live
at ``/users/3`` itself. The address is answered with a redirect to the one that Streamlit serves: it
reloads, can be shared, and its query string is where the page reads its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlencode

from fluxlit._paths import is_parameter, page_slug, quoted

_STREAMLIT = b"_stcore"
"""Streamlit's frontend looks for its server under every parent of a page's address."""


class PageAddresses:
    """The pages of an app whose paths have parameters.

    Args:
        paths: Their paths, such as ``"/users/{id}"``.
        ui_path: Where the UI is under the mount, as raw bytes.

    Example:
        >>> PageAddresses(["/users/{id}"]).address_of(b"/users/3", b"tab=x")
        b'/users-by-id?id=3&tab=x'
    """

    def __init__(self, paths: Iterable[str], ui_path: bytes = b"") -> None:
        self._ui_path = ui_path
        self._pages = [(path.strip("/").split("/"), page_slug(path)) for path in paths]

    def address_of(self, rest: bytes, query: bytes) -> bytes | None:
        """Return where a request for a page is to be sent instead; None for all others.

        Args:
            rest: The raw path without the mount.
            query: The raw query string; it is kept.
        """
        if not self._pages or not rest.startswith(self._ui_path + b"/"):
            return None
        segments = rest[len(self._ui_path) + 1 :].rstrip(b"/").split(b"/")
        for pattern, slug in self._pages:
            found = _match(pattern, [unquote_to_bytes(segment) for segment in segments])
            if found is not None:
                said = urlencode(found).encode("ascii")
                address = self._ui_path + b"/" + quoted(slug).encode("ascii")
                return address + b"?" + said + (b"&" + query if query else b"")
        return None


def _match(pattern: list[str], segments: list[bytes]) -> dict[str, bytes] | None:
    if len(pattern) != len(segments) or _STREAMLIT in segments:
        return None
    found: dict[str, bytes] = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if is_parameter(wanted):
            if not given:
                return None
            found[wanted[1:-1]] = given
        elif wanted.encode() != given:
            return None
    return found

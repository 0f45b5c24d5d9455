"""Public paths in one normal form: leading slash, no trailing slash, ``""`` for the root."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

DEBUG_PATH: Final = "/__fluxlit/debug"
"""Where a developer looks at a running gateway, under the mount."""


def normalize(path: str) -> str:
    """Bring a public path into normal form.

    Args:
        path: A path as people write it: ``"api"``, ``"/api/"``, ``"/"`` or ``""``.

    Returns:
        ``"/api"`` for each of the first two, ``""`` for the root.

    Example:
        >>> normalize("apps/my-app/")
        '/apps/my-app'
        >>> normalize("/")
        ''
    """
    segments = [segment for segment in path.strip().split("/") if segment]
    return "".join(f"/{segment}" for segment in segments)


def page_slug(path: str) -> str:
    """Return the name that a page's path has in the browser's address.

    Streamlit has one level of pages, so segments are joined. A page with path parameters gets a
    name of its own beside the page without, and its parameters go into the query string.

    >>> page_slug("/users/"), page_slug("/")
    ('users', 'home')
    >>> page_slug("/users/{id}"), page_slug("/{year}")
    ('users-by-id', 'by-year')
    """
    segments = [segment for segment in path.strip("/").split("/") if segment]
    names = [segment[1:-1] for segment in segments if is_parameter(segment)]
    if not names:
        return path.strip("/") or "home"
    fixed = [segment for segment in segments if not is_parameter(segment)]
    return "-".join([*fixed, "by", *names])


_SEGMENT: Final = "!$&'()*+,;=:@"
"""What may stand unquoted in a segment besides letters, digits and ``-._~``: RFC 3986, 3.3."""


def quoted(path: str) -> str:
    """Spell a path as an address wants it.

    >>> quoted("/größe/a:b")
    '/gr%C3%B6%C3%9Fe/a:b'
    """
    return quote(path, safe=f"/{_SEGMENT}")


def is_parameter(segment: str) -> bool:
    """Tell whether a path segment is a parameter: ``{name}``."""
    return segment.startswith("{") and segment.endswith("}") and segment[1:-1].isidentifier()


def path_parameters(path: str) -> tuple[str, ...]:
    """Return the names of a path's parameters.

    >>> path_parameters("/orders/{order}/lines/{line}")
    ('order', 'line')
    """
    return tuple(segment[1:-1] for segment in path.split("/") if is_parameter(segment))


def is_under(path: bytes, base: bytes) -> bool:
    """Tell whether *path* is *base* or lies below it, by whole segments.

    >>> is_under(b"/api/users", b"/api"), is_under(b"/apix", b"/api")
    (True, False)
    """
    return path.startswith(base) and path[len(base) : len(base) + 1] in {b"", b"/"}

"""Public paths in one normal form: leading slash, no trailing slash, ``""`` for the root."""

from __future__ import annotations


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


def is_under(path: bytes, base: bytes) -> bool:
    """Tell whether *path* is *base* or lies below it, by whole segments.

    >>> is_under(b"/api/users", b"/api"), is_under(b"/apix", b"/api")
    (True, False)
    """
    return path.startswith(base) and path[len(base) : len(base) + 1] in {b"", b"/"}

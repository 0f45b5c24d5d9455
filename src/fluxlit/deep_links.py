"""Links into an app: which page ``?page=`` means, and what else the query string holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fluxlit._paths import page_slug

__all__ = ["match_nav_page", "query_params", "query_values"]


def query_values(st: Any) -> dict[str, list[str]]:
    """Return the query string's parameters with all of their values.

    Args:
        st: The ``streamlit`` module, or any object with ``query_params``. What cannot be read is
            left out.
    """
    params = getattr(st, "query_params", None)
    if params is None:
        return {}
    read = getattr(params, "get_all", None)
    found = {}
    for name in _names(params):
        try:
            value = params[name] if read is None else read(name)
        except Exception:  # noqa: BLE001, S112 - a stand-in for st may refuse in any way
            continue
        values = list(value) if isinstance(value, list | tuple) else [value]
        found[name] = [str(item) for item in values if item is not None]
    return found


def query_params(st: Any) -> dict[str, str]:
    """Return the query string's parameters, the first value of each.

    >>> from types import SimpleNamespace
    >>> query_params(SimpleNamespace(query_params={"page": ["Users", "Orders"], "tag": []}))
    {'page': 'Users'}
    """
    return {name: values[0] for name, values in query_values(st).items() if values}


def match_nav_page(
    params: Mapping[str, str], pages: Iterable[Any], *, page_key: str = "page"
) -> tuple[str, str] | None:
    """Find the page that the query string asks for by its title, path or slug.

    Args:
        params: Parameters of the query string.
        pages: Records, ``(path, title)`` or ``(path, title, function)`` rows, in visible order;
            the first that fits wins.
        page_key: The parameter that names the page.

    Returns:
        Path and title of the page, or None.

    Example:
        >>> match_nav_page({"page": "users"}, [("/", "Home"), ("/users", "All users")])
        ('/users', 'All users')
    """
    wanted = (params.get(page_key) or "").strip()
    if not wanted:
        return None
    for page in pages:
        path, title = (page[0], page[1]) if isinstance(page, tuple) else (page.path, page.title)
        names = {title, path, page_slug(path), path.strip("/")}
        if wanted in names or wanted.strip("/") in names - {""}:
            return path, title
    return None


def _names(params: Any) -> list[str]:
    try:
        return list(params.keys())
    except Exception:  # noqa: BLE001 - see above; a mapping may still be walked
        return [str(name) for name in dict.keys(params)] if isinstance(params, dict) else []

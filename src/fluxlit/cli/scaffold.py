"""From a profile's templates to the files of a new project.

Templates are data: files that end in ``-tpl``, with ``{{word}}`` where something is filled in. In
their paths, ``dot-`` stands for a leading dot and ``NAME`` for the project's name. A line that is
nothing but a word vanishes where the word is empty.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from fluxlit._version import __version__
from fluxlit.exceptions import FluxLitError

SUFFIX: Final = "-tpl"

_WORD: Final = re.compile(r"\{\{(\w+)\}\}")
_LINE: Final = re.compile(r"^\{\{(\w+)\}\}\n", re.MULTILINE)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def words_for(name: str) -> dict[str, str]:
    """Return what templates may say of a project's name.

    Raises:
        FluxLitError: The name cannot be used in addresses and file names.

    Example:
        >>> words_for("order-desk")
        {'name': 'order-desk', 'name_': 'order_desk', 'title': 'Order Desk'}
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} cannot be a project's name"
        raise FluxLitError(msg, remedy="begin with a letter; go on with letters, digits, - and _")
    plain = name.replace("_", "-").lower()
    title = name.replace("_", " ").replace("-", " ").title()
    return {"name": plain, "name_": plain.replace("-", "_"), "title": title}


def render(folders: tuple[str, ...], words: Mapping[str, str]) -> dict[str, str]:
    """Fill in the templates of some folders.

    Args:
        folders: Names below ``templates/``; a later one's file replaces an earlier one's.
        words: What stands for each ``{{word}}``; ``{{version}}`` is FluxLit's in any case.

    Returns:
        The text of each file, by its path in the project.
    """
    home = files("fluxlit.cli") / "templates"
    found = {path: file for folder in folders for path, file in _walk(home / folder)}
    return {
        _target(path, words): _fill(file.read_text("utf-8"), words) for path, file in found.items()
    }


def _fill(text: str, words: Mapping[str, str]) -> str:
    text = _LINE.sub(lambda line: line[0] if words[line[1]] else "", text)
    return _WORD.sub(lambda word: words[word[1]], text.replace("{{version}}", __version__))


def _walk(folder: Traversable, below: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{below}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield f"{below}{entry.name}", entry


def _target(path: str, words: Mapping[str, str]) -> str:
    folder, slash, name = path.removesuffix(SUFFIX).rpartition("/")
    if name.startswith("dot-"):
        name = f".{name.removeprefix('dot-')}"
    return f"{folder}{slash}{name.replace('NAME', words.get('name', 'NAME'))}"


def write(
    folder: Path,
    texts: Mapping[str, str],
    *,
    force: bool = False,
    remedy: str = "choose another folder, or move them away",
) -> None:
    """Write the files of a project; none of them if one is there already.

    Args:
        folder: Where to.
        texts: The text of each file, by its path in the folder.
        force: Replace those that are there.
        remedy: What to do about those that are there.

    Raises:
        FluxLitError: A file is there already, or cannot be written.
    """
    there = sorted(path for path in texts if os.path.lexists(folder / path))
    if there and not force:
        msg = f"{folder} already has {', '.join(there)}"
        raise FluxLitError(msg, remedy=remedy)
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as exc:
        msg = f"cannot write {exc.filename}: {exc.strerror}"
        raise FluxLitError(msg) from exc

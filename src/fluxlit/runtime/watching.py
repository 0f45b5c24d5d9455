"""Which files a development server follows, and what an edit of each asks for.

A file counts by its name: code, templates, and the few files that settings are read from. So
databases, logs, pid files and what editors leave behind for a moment never do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Final

from fluxlit._frames import is_machinery
from fluxlit.runtime.targets import Target, parse_target, source_folder

SETTINGS_FILES: Final = frozenset({".env", "fluxlit.toml", "pyproject.toml"})
"""What settings are read from, in the working directory."""

STREAMLIT_FOLDER: Final = ".streamlit"

CODE: Final = ".py"

_TEMPLATES: Final = frozenset({".html", ".htm", ".jinja", ".jinja2", ".j2", ".mako"})

_COUNTED: Final = _TEMPLATES | {CODE, ".toml"}
"""Endings of what an app reads while it is loaded or when it answers."""

_FOREIGN: Final = frozenset(
    {"__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "virtualenv"}
    | {"htmlcov", "__pypackages__"}
)
"""Folders whose files are nobody's edits, besides all hidden ones and virtual environments."""

_MOST_FOLDERS: Final = 4096
"""Folders that are watched at most; a project has some hundreds."""

_MOST_FILES: Final = 32 * 1024
"""Files that are compared at most."""


class Need(IntEnum):
    """What has to happen so that an edit is live; each includes those before it."""

    NOTHING = 0
    GATEWAY = 1
    """A new gateway worker; the UI workers load the code anew and rerun their open pages."""
    FULL = 2
    """New workers of both kinds."""


Stamp = tuple[int, int, int]
"""When a file was written, how long it is, and which one it is (its inode)."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What there is at one moment.

    Attributes:
        folders: All that may hold sources, those nearest to a root first.
        files: All that count.
        is_partial: There are too many of them; the others were left out.
    """

    folders: tuple[Path, ...] = ()
    files: dict[Path, Stamp] = field(default_factory=dict)
    is_partial: bool = False

    def edited_since(self, before: Scan) -> list[Path]:
        """Return the files that were written, made or removed after another scan."""
        return sorted({path for path, _ in self.files.items() ^ before.files.items()})

    def before(self, moment: float) -> Scan:
        """Return the same without what was written after a moment, in seconds of the epoch."""
        known = {path: it for path, it in self.files.items() if it[0] / 1e9 < moment}
        return replace(self, files=known)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the files are that a development server follows.

    Attributes:
        roots: Folders with the user's modules and templates, subfolders included.
        settings: Folder of the files that settings are read from.
        streamlit: Folders where Streamlit's own configuration may be.
    """

    roots: tuple[Path, ...]
    settings: Path
    streamlit: tuple[Path, ...] = ()

    @classmethod
    def of(cls, target: Target, *, directory: Path, more: Iterable[Path] = ()) -> Sources:
        """Find them for a target.

        The user's modules are where the target's are imported from; in the whole working
        directory if that is inside of it, as where a project keeps its packages under ``src``.

        Args:
            target: What is served.
            directory: The working directory.
            more: Further folders, of ``--reload-dir``.

        Example:
            >>> target = Target("shop.app", "app", Path("/desk/src/shop/app.py"))
            >>> Sources.of(target, directory=Path("/desk")).roots
            (PosixPath('/desk'),)
        """
        folder = source_folder(target)
        if directory in folder.parents and directory != Path.home():
            folder = directory
        beside = (directory, target.file.parent) if target.file else (directory,)
        return cls(
            roots=_outermost([folder, *(path.resolve() for path in more)]),
            settings=directory,
            streamlit=tuple(dict.fromkeys(path / STREAMLIT_FOLDER for path in beside)),
        )

    def need(self, path: Path) -> Need:
        """Return what an edit of a file asks for.

        Example:
            >>> sources = Sources((Path("/desk"),), Path("/desk"))
            >>> [sources.need(Path("/desk", name)).name for name in ("app.py", "desk.db", ".env")]
            ['GATEWAY', 'NOTHING', 'FULL']
        """
        if path.parent == self.settings and path.name in SETTINGS_FILES:
            return Need.FULL
        if path.parent in self.streamlit:
            return _STREAMLIT_NEEDS.get(path.name, Need.NOTHING)
        if path.suffix.lower() in _COUNTED and self.holds(path):
            return Need.GATEWAY
        return Need.NOTHING

    def holds(self, path: Path) -> bool:
        """Tell whether a file or folder is among the user's own sources."""
        return any(
            not any(_is_foreign(part) for part in path.relative_to(root).parts)
            for root in self.roots
            if path.is_relative_to(root)
        ) and not is_machinery(str(path))

    def own(self, file: str) -> bool:
        """Tell the same of the file of a module; the quick form for all that are imported."""
        return file.startswith(tuple(map(str, self.roots))) and self.holds(Path(file))

    def scan(self) -> Scan:
        """Look at every folder and file that counts.

        Foreign folders are left out, above all virtual environments: thousands that would take a
        second to watch and whose changes are no edits.
        """
        folders: dict[Path, None] = {}
        files: dict[Path, Stamp] = {}
        for folder in (self.settings, *self.streamlit):
            if folder.is_dir():
                folders[folder] = None
                files.update(self._files(_entries(folder)))
        level = list(self.roots)
        while level and len(folders) < _MOST_FOLDERS and len(files) < _MOST_FILES:
            below = []
            for folder in level:
                entries = _entries(folder)
                folders[folder] = None
                files.update(self._files(entries))
                below += [Path(it.path) for it in entries if _may_hold_sources(it)]
            level = below
        return Scan(
            tuple(folders)[:_MOST_FOLDERS],
            files,
            is_partial=bool(level) or len(folders) > _MOST_FOLDERS,
        )

    def _files(self, entries: list[os.DirEntry[str]]) -> Iterator[tuple[Path, Stamp]]:
        for entry in entries:
            path = Path(entry.path)
            if self.need(path) is not Need.NOTHING:
                try:
                    seen = entry.stat()
                except OSError:  # gone meanwhile, or a link to nowhere
                    continue
                yield path, (seen.st_mtime_ns, seen.st_size, seen.st_ino)


def sources_of(target: str, more: Iterable[str | Path] = ()) -> Sources:
    """Find the sources of a target as it is started in the working directory.

    Args:
        target: The target, as text.
        more: Further folders.

    Raises:
        TargetError: The text is no target.
    """
    return Sources.of(parse_target(target), directory=Path.cwd(), more=map(Path, more))


_STREAMLIT_NEEDS: Final = {"config.toml": Need.FULL, "secrets.toml": Need.GATEWAY}
"""Streamlit itself shows pages anew with new secrets; the API may read them, too."""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # gone, or not ours to read
        return []


def _may_hold_sources(entry: os.DirEntry[str]) -> bool:
    if _is_foreign(entry.name) or not entry.is_dir(follow_symlinks=False):
        return False
    return not Path(entry.path, "pyvenv.cfg").exists()  # a virtual environment (PEP 405)


def _is_foreign(name: str) -> bool:
    return name.startswith((".", "#")) or name in _FOREIGN


def _outermost(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Leave out folders that are inside others."""
    distinct = dict.fromkeys(folders)
    return tuple(it for it in distinct if not any(other in it.parents for other in distinct))

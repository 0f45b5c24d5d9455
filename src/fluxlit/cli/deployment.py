"""The files that it takes to run an app for others: from its settings to what templates say."""

from __future__ import annotations

import json
import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fluxlit._version import __version__
from fluxlit.cli.scaffold import render, words_for
from fluxlit.config.rules import MB, STREAMLIT_UPLOAD

if TYPE_CHECKING:
    from fluxlit.config import FluxlitSettings

KINDS: Final = ("compose", "nginx", "caddy", "haproxy", "systemd", "kubernetes")
"""What can be written besides the image's files."""

_IMAGE: Final = "docker"
_SETTINGS: Final = "settings"
_CONFIGURED_BY_FILE: Final = frozenset(KINDS) - {"kubernetes"}
"""Kinds that take their settings from ``production.env``."""

_SLUG: Final = re.compile(r"[^a-z0-9]+")
_NAMES_FLUXLIT: Final = re.compile(r"^fluxlit(?![\w.-]*\w)", re.MULTILINE | re.IGNORECASE)

_OURS: Final = f"'fluxlit>={__version__}'"
_PIP: Final = "RUN --mount=type=cache,target=/root/.cache/pip pip install"
_OF_PROJECT: Final = (
    "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']"
    ".get('dependencies', []), sep='\\n')"
)


@dataclass(frozen=True, slots=True)
class Project:
    """What of an app's folder decides how it is installed.

    Attributes:
        name: What the app is called in addresses and file names.
        requirements: Text of ``requirements.txt``; None if there is none.
        has_project: Whether ``pyproject.toml`` lists dependencies.
        is_package: Whether it says how to build the app.
        is_locked: Whether there is a ``uv.lock`` beside it.
    """

    name: str
    requirements: str | None = None
    has_project: bool = False
    is_package: bool = False
    is_locked: bool = False

    @classmethod
    def look(cls, folder: Path, title: str) -> Project:
        """Look at a folder.

        Args:
            folder: Where the app is.
            title: What the app calls itself; an app without a title is called as its folder.
        """
        import tomllib  # noqa: PLC0415 - only this command reads one

        requirements = folder / "requirements.txt"
        try:
            pyproject = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        except (OSError, ValueError):
            pyproject = {}
        slugs = [_SLUG.sub("-", text.lower()).strip("-")[:40] for text in (title, folder.name)]
        return cls(
            name=next((slug for slug in slugs if slug[:1].isalpha()), "app"),
            requirements=_text_of(requirements) if requirements.is_file() else None,
            has_project="project" in pyproject,
            is_package="project" in pyproject and "build-system" in pyproject,
            is_locked="project" in pyproject and (folder / "uv.lock").is_file(),
        )

    def install(self) -> str:
        """Return the lines of a Dockerfile that install what the app needs."""
        if self.is_locked:
            export = "uv export -q --frozen --no-dev --no-emit-project -o /tmp/requirements.txt"
            installed = "pip install -r /tmp/requirements.txt"
            return f"COPY pyproject.toml uv.lock ./\n{_PIP} uv && {export} && {installed}"
        if self.requirements is not None:
            own = "" if _NAMES_FLUXLIT.search(self.requirements) else f" {_OURS}"
            return f"COPY requirements.txt ./\n{_PIP} -r requirements.txt{own}"
        if self.has_project:
            listed = f'RUN python -c "{_OF_PROJECT}" > /tmp/requirements.txt'
            return f"COPY pyproject.toml ./\n{listed}\n{_PIP} -r /tmp/requirements.txt {_OURS}"
        return f"{_PIP} {_OURS}"


def _text_of(requirements: Path) -> str:
    """Read what pip reads: UTF-8, or with a mark in front UTF-16, as PowerShell writes it."""
    raw = requirements.read_bytes()
    is_wide = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return raw.decode("utf-16" if is_wide else "utf-8-sig", "replace")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files lie to the app, and the app to them; each path as a person writes it.

    Attributes:
        folder: From the app to the files, ``""`` or with a final slash.
        context: From the files to the app.
    """

    folder: str = ""
    context: str = "."

    @classmethod
    def between(cls, app: Path, output: Path) -> Places:
        """Measure both ways between two folders."""
        there = Path(os.path.relpath(output, app)).as_posix()
        back = Path(os.path.relpath(app, output)).as_posix()
        return cls("" if there == "." else f"{there}/", back)


def words_of(
    settings: FluxlitSettings,
    project: Project,
    places: Places,
    *,
    target: str = "",
    streamlit: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return what the templates of a deployment say of an app.

    Args:
        settings: The app's.
        project: How it is installed.
        places: Where the files are to be.
        target: The app's target; blank where the project file or the default says it.
        streamlit: Options of Streamlit that somebody set, as the rule book knows them.
    """
    words = words_for(project.name)
    mount = settings.public_mount_path()
    port = str(settings.gateway_port or 8000)
    offered = (streamlit or {}).get("servermaxuploadsize", "")
    upload = int(offered) if offered.isdecimal() else STREAMLIT_UPLOAD
    upload_with_form = upload + upload // 10
    command = ["fluxlit", "run", *([target] if target else [])]
    condition = f" if {{ path {mount} }} || {{ path_beg {mount}/ }}" if mount else ""
    return {
        **words,
        "host": urlsplit(settings.public_base_url).hostname or f"{words['name']}.example.com",
        "mount": mount,
        "prefix": settings.api_prefix(),
        "port": port,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "install": project.install(),
        "install_project": "RUN pip install --no-deps ." if project.is_package else "",
        "command": json.dumps(command, ensure_ascii=False)[1:-1],
        "target_argument": f"{target} " if target else "",
        "folder": places.folder,
        "folder_here": places.folder or "./",
        "context": places.context,
        "context_here": ".",
        "dockerfile": f"{places.folder}Dockerfile",
        "offered_mb": str(upload),
        "upload_mb": str(upload_with_form),
        "body_bytes": str(upload_with_form * MB),
        "caddy_paths": f"{mount} {mount}/*" if mount else "/*",
        "haproxy_if": condition,
    }


def deployment_files(kinds: Iterable[str], words: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each file of a deployment, by its name.

    Args:
        kinds: Of :data:`KINDS`; the image's files come in any case.
        words: See :func:`words_of`.
    """
    chosen = set(kinds)
    more = {_SETTINGS} if chosen & _CONFIGURED_BY_FILE else set()
    folders = sorted({_IMAGE} | chosen | more)
    texts = render(tuple(f"deployment/{folder}" for folder in folders), words)
    if words["folder"]:  # Docker looks for the one beside the Dockerfile, or in the context's root
        texts["Dockerfile.dockerignore"] = texts[".dockerignore"]
    return texts

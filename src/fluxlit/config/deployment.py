"""What the rule book looks at: an app's settings and what stands around them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluxlit import _env
from fluxlit.config.provenance import PLATFORM_URL, Kind
from fluxlit.config.settings import FluxlitSettings
from fluxlit.stores import InMemorySessionStore, SessionStore

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_NO_LIMIT = 1 << 60
"""Bytes from which on a cgroup's number means that there is none."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One way to run one app.

    Attributes:
        settings: The effective settings, flags included.
        development: It is ``fluxlit dev``, where convenience may win.
        workers: Gateway workers.
        ui_workers: UI workers.
        memory: Bytes that all of them may use together; 0 when that is not known.
        platform_url: What ``PUBLIC_BASE_URL`` says.
        internal_api_base: What ``FLUXLIT_INTERNAL_API_BASE`` says.
        streamlit: Options of Streamlit that the user set: name in lower case, without dots, dashes
            or underscores, to value.
        keeps_sessions_in_memory: Sessions in the address are each process's own.
    """

    settings: FluxlitSettings
    development: bool = False
    workers: int = 1
    ui_workers: int = 1
    memory: int = 0
    platform_url: str = ""
    internal_api_base: str = ""
    streamlit: Mapping[str, str] = field(default_factory=dict)
    keeps_sessions_in_memory: bool = False


def observe(
    settings: FluxlitSettings,
    *,
    development: bool = False,
    workers: int = 1,
    store: SessionStore | None = None,
) -> Deployment:
    """Look around: environment, Streamlit's own configuration, memory, where sessions are kept."""
    return Deployment(
        settings=settings,
        development=development,
        workers=workers,
        ui_workers=settings.effective_ui_workers(),
        memory=memory_limit(),
        platform_url=os.environ.get(PLATFORM_URL, "").strip(),
        internal_api_base=os.environ.get(_env.INTERNAL_API_BASE, "").strip(),
        streamlit=streamlit_options(
            _config_toml(Path.cwd()), os.environ, settings.streamlit_run_cli_args
        ),
        keeps_sessions_in_memory=isinstance(store, InMemorySessionStore),
    )


def own_public_url(deployment: Deployment) -> str:
    """Return the public URL that was configured for this app, not taken from the platform."""
    settings = deployment.settings
    origin = settings.origin("public_base_url")
    is_platforms = origin.kind is Kind.VARIABLE and origin.name == PLATFORM_URL
    return "" if is_platforms else settings.public_base_url.strip()


def memory_limit() -> int:
    """Return how many bytes this process and its children may use: the cgroup's, or the machine's.

    Returns:
        0 where the system does not tell.
    """
    limits = [limit for limit in map(_number_in, _CGROUP_LIMITS) if 0 < limit < _NO_LIMIT]
    with contextlib.suppress(ValueError, OSError):  # a system without these names
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=0)


def _number_in(path: str) -> int:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such controller, or "max"
        return 0


def streamlit_options(
    file: Mapping[str, object], environ: Mapping[str, str], arguments: Sequence[str]
) -> dict[str, str]:
    """Collect the options of Streamlit that somebody set, the deciding source last.

    Args:
        file: The parsed ``.streamlit/config.toml``.
        environ: Its ``STREAMLIT_*`` variables.
        arguments: As for ``streamlit run``.

    Example:
        >>> streamlit_options({}, {"STREAMLIT_SERVER_PORT": "1"}, ["--theme.base=dark", "--x", "2"])
        {'serverport': '1', 'themebase': 'dark', 'x': '2'}
    """
    found = {_plain(name): value for name, value in _flat(file)}
    found |= {
        _plain(name.removeprefix("STREAMLIT_")): value
        for name, value in environ.items()
        if name.startswith("STREAMLIT_")
    }
    rest = list(arguments)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if name.startswith("--"):
            is_next = not given and rest and not rest[0].startswith("--")
            found[_plain(name)] = rest.pop(0) if is_next else value or "true"
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _config_toml(directory: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - most processes have no such file to read

    try:
        return tomllib.loads((directory / ".streamlit/config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or one that Streamlit itself will complain about
        return {}

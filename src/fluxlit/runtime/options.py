"""What ``fluxlit run`` and ``fluxlit dev`` were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fluxlit._types import JsonValue
from fluxlit.runtime.reloading import Reload


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What to serve, and how.

    Attributes:
        target: Where the app is, in full.
        development: Started by ``fluxlit dev``.
        overrides: Settings from the command line, by name.
        workers: How many gateway workers share the public socket.
        pidfile: Where to put the pid file; None for none.
        workbench: Behind Posit Workbench or Connect: tell how to get there.
        reload: How to follow edits; None: not at all.
    """

    target: str
    development: bool = False
    workers: int = 1
    overrides: dict[str, JsonValue] = field(default_factory=dict)
    pidfile: Path | None = None
    workbench: bool = False
    reload: Reload | None = None

"""What ``fluxlit run`` and ``fluxlit dev`` were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fluxlit._types import JsonValue
from fluxlit.runtime.banner import Crew
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
        alone: UI workers alone, for a gateway elsewhere.
        expects_uis: The UI is probably in workers, so that one may be started at once.
    """

    target: str
    development: bool = False
    workers: int = 1
    overrides: dict[str, JsonValue] = field(default_factory=dict)
    pidfile: Path | None = None
    workbench: bool = False
    reload: Reload | None = None
    alone: bool = False
    expects_uis: bool = True

    @property
    def crew(self) -> Crew:
        """How many workers are started before the app has said how many it wants."""
        if self.alone:
            return Crew(0, 1)
        return Crew(self.workers, 1 if self.expects_uis else 0)

"""What a worker is told at birth: one frozen value that crosses the process border as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from fluxlit._types import JsonValue


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """The first message to a worker.

    It travels over the channel, not the command line or the environment, so that neither the
    process list nor a grandchild sees it.

    Attributes:
        target: ``module:attribute`` or ``file.py:attribute`` of the FluxLit object, or the path
            of a bare Streamlit script.
        run_directory: The registry of this service's sockets.
        slot: Which of the workers of its kind this one is.
        generation: Number of this birth among all of the service.
        row: Number of its row on the board.
        development: Show errors to whoever visits.
        reload: Follow edits of the code.
        reload_dirs: Folders to follow beside those of the target.
        workers: Gateway workers of the service.
        alone: There is no gateway here: the UI worker serves those on other machines.
        overrides: Settings from the command line, by name; they beat every other source.
        search_path: Where the parent finds modules; the worker looks there too.
        cookie_secret: Signs cookies, Streamlit's and the gateway's; the same for all workers of
            the service.
    """

    target: str
    run_directory: str
    slot: int = 0
    generation: int = 0
    row: int = 0
    development: bool = False
    reload: bool = False
    reload_dirs: list[str] = field(default_factory=list)
    workers: int = 1
    alone: bool = False
    overrides: dict[str, JsonValue] = field(default_factory=dict)
    search_path: list[str] = field(default_factory=list)
    cookie_secret: str = field(default="", repr=False)

    def in_directory(self, directory: Path) -> WorkerSpec:
        """Return the spec for a run directory."""
        return replace(self, run_directory=str(directory))

    def for_place(self, slot: int, *, generation: int, row: int) -> WorkerSpec:
        """Return the spec for one of several workers, at its place on the board."""
        return replace(self, slot=slot, generation=generation, row=row)

    def to_message(self) -> dict[str, JsonValue]:
        """Return the spec as a message."""
        return asdict(self)

    @classmethod
    def from_message(cls, message: dict[str, JsonValue]) -> WorkerSpec:
        """Read the message back."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in message.items() if key in known})  # type: ignore[arg-type]

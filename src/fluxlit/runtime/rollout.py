"""Rollouts: how taking up new code goes, in a file of the run directory for whoever has asked.

The file ``rollout`` holds one JSON object, the latest rollout of the service. It is replaced as a
whole, so a reader sees one state or the next. Their numbers count up from 1: who asks for a reload
waits for a rollout beyond the last one that he saw.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from fluxlit._types import JsonValue
from fluxlit.exceptions import FluxLitError

_LOG: Final = logging.getLogger("fluxlit.runtime")

_NAME: Final = "rollout"
_MAX_TEXT: Final = 8000
"""Characters of a message that are kept."""


class Progress(StrEnum):
    """How far a rollout is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rollout:
    """One replacement of a service's workers by new ones.

    Attributes:
        number: Which one it is of the service; 0 stands for none.
        state: How far it is.
        message: What was replaced, or why it failed, in the new version's own words.
        remedy: What can be done about a failure.
        started: When it began, in seconds since 1970.
        seconds: How long it took, so far as it has ended.
    """

    number: int = 0
    state: Progress = Progress.DONE
    message: str = ""
    remedy: str = ""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state is not Progress.RUNNING

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as it stands in the file."""
        return asdict(self)


NONE: Final = Rollout()


class Rollouts:
    """The rollouts of one service; its owner tells each step.

    That the outcome cannot be written, on a full disk, is logged and stops no rollout.

    Args:
        directory: The run directory.
        clock: Seconds, monotonic.

    Example:
        >>> rollouts = Rollouts(directory)
        >>> rollouts.begin()
        >>> rollouts.done("gateway-0, ui-0")
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = directory / _NAME
        self._clock = clock
        self._began = 0.0
        self._latest = NONE

    def begin(self) -> None:
        """Tell that the next one has begun."""
        self._began = self._clock()
        number = self._latest.number + 1
        self._write(Rollout(number, Progress.RUNNING, started=round(time.time(), 3)))

    def done(self, message: str = "") -> float:
        """Tell that all workers are new; return the seconds that it took.

        Args:
            message: What was replaced.
        """
        self._end(Progress.DONE, message)
        return self._latest.seconds

    def failed(self, error: FluxLitError) -> None:
        """Tell why the new version does not serve; the old one still does."""
        self._end(Progress.FAILED, error.message, error.remedy)

    def _end(self, state: Progress, message: str, remedy: str = "") -> None:
        seconds = round(self._clock() - self._began, 3)
        self._write(
            replace(
                self._latest,
                state=state,
                message=message[:_MAX_TEXT],
                remedy=remedy[:_MAX_TEXT],
                seconds=seconds,
            )
        )

    def _write(self, rollout: Rollout) -> None:
        self._latest = rollout
        unfinished = self._path.with_name(f"{_NAME}.new")
        try:
            unfinished.write_text(json.dumps(rollout.to_json()), encoding="utf-8")
            unfinished.replace(self._path)
        except OSError as exc:
            _LOG.warning("cannot tell how the reload goes in %s: %s", self._path, exc.strerror)


def latest_rollout(directory: Path) -> Rollout:
    """Read a service's latest rollout; :data:`NONE` if there was none.

    Args:
        directory: Its run directory.
    """
    try:
        told = json.loads((directory / _NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return NONE
    known = {name: told[name] for name in Rollout.__slots__ if name in told}
    return Rollout(**{**known, "state": Progress(told["state"])})

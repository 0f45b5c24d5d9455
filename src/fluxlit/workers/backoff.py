"""When to try again with a worker that keeps dying, and when to stop trying. Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """The policy for workers that keep dying.

    Attributes:
        delays: Seconds before the first, second, … attempt in a row; the last one repeats.
        attempts: Deaths in a row after which the service gives up; None for never.
        settled_after: Seconds of service after which a death no longer counts as "in a row".
    """

    delays: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    attempts: int | None = 8
    settled_after: float = 30.0

    def delay(self, deaths: int) -> float:
        """Return the seconds to wait after so many deaths in a row (1 or more)."""
        return self.delays[min(deaths, len(self.delays)) - 1]

    def is_hopeless(self, deaths: int) -> bool:
        """Tell whether so many deaths in a row are enough."""
        return self.attempts is not None and deaths >= self.attempts

    def in_a_row(self, before: int, status: int, served: float) -> int:
        """Count one more death of a worker that had got into service.

        SIGKILL is nothing that code does to itself: an operator did it, or the kernel for want of
        memory. What helps then is another worker at once, however often.

        Args:
            before: Deaths in a row before this one.
            status: Its exit status, negative for a signal.
            served: Seconds that it was in service.
        """
        forgiven = served > self.settled_after or status == -signal.SIGKILL
        return 1 if forgiven else before + 1

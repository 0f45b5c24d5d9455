"""What an examination found: one value, whoever looked and wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum


class Level(IntEnum):
    """How bad it is. The names are those of ``fluxlit config --json``, in lower case."""

    PASS = 0
    WARNING = 1
    ERROR = 2

    @property
    def status(self) -> str:
        """The word that ``fluxlit doctor`` shows: ``PASS``, ``WARN`` or ``FAIL``."""
        return ("PASS", "WARN", "FAIL")[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what is to be said about it.

    Attributes:
        name: What ``fluxlit config`` calls it; stays the same from version to version.
        level: How bad it is.
        message: What was found, in one sentence, with the values that matter.
        remedy: What to do about it; empty when nothing is wrong.
        doc: Page and section of the documentation that explain it.
        check: The row of ``fluxlit doctor`` that it belongs to; by default its own name.
    """

    name: str
    level: Level
    message: str
    remedy: str = ""
    doc: str = ""
    check: str = ""

    @property
    def row(self) -> str:
        """Name of the doctor's row."""
        return self.check or self.name

    def strictly(self) -> Finding:
        """Return the finding as ``--strict`` sees it: a warning counts as an error."""
        return replace(self, level=Level.ERROR) if self.level is Level.WARNING else self


def passed(name: str, message: str) -> Finding:
    """Make the finding that all is well."""
    return Finding(name, Level.PASS, message)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the highest level among findings; PASS when there are none."""
    return max((finding.level for finding in findings), default=Level.PASS)

"""Incidents as CSV, line by line."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fluxlit.demo.models import Incident

COLUMNS = (
    "reference", "opened_at", "due_at", "resolved_at", "status", "priority", "kind", "region",
    "depot", "team", "cargo", "summary", "cost_eur", "breached",
)  # fmt: skip


def csv_lines(incidents: Iterable[Incident]) -> Iterator[str]:
    """Write incidents as CSV text, in chunks that are worth sending.

    Args:
        incidents: What to write.

    Yields:
        The header line, then the rows. A file that :mod:`fluxlit.demo.imports` takes back.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for incident in incidents:
        writer.writerow([_cell(getattr(incident, column)) for column in COLUMNS])
        if buffer.tell() > 32_768:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Keep a spreadsheet from taking somebody's text for a formula.
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value

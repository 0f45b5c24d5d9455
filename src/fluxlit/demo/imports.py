"""Incidents out of a CSV file: every line is either taken or named with its reasons.

Reading is pure: bytes in, rows out. Whether the desk knows an incident already is asked of the
store afterwards, by the route.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from fluxlit.demo.catalog import DEPOTS, Cargo, Kind, Priority
from fluxlit.demo.models import ImportedIncident, Problem, RejectedRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

MAX_BYTES = 2**20
MAX_ROWS = 5_000

REQUIRED = ("opened_at", "depot", "kind", "priority", "cargo", "summary")
OPTIONAL = ("cost_eur",)
# What a download of the desk contains beyond that; accepted, and not read.
IGNORED = ("reference", "due_at", "resolved_at", "status", "region", "team", "breached")

_SPELLINGS: dict[str, dict[str, str]] = {
    "depot": {name.casefold(): name for name in DEPOTS},
    "kind": {name.casefold(): name for name in Kind},
    "priority": {name.casefold(): name for name in Priority},
    "cargo": {name.casefold(): name for name in Cargo},
}

EXAMPLE = (
    "opened_at,depot,kind,priority,cargo,summary,cost_eur\n"
    "2026-03-02 06:40,Rotterdam,temperature,high,Seafood,"
    '"Trailer T-221: hold at +5.1 °C, set point +1.0 °C",840.00\n'
    "2026-03-02 09:15,Gdańsk,customs,normal,Dairy,Tour K4410: health certificate missing,\n"
)


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the text says why."""


class TooManyRowsError(UnreadableFileError):
    """The file has more lines than one import takes."""


@dataclass(slots=True)
class ParsedFile:
    """What a file says, line by line.

    Args:
        delimiter: What separates its columns.
        accepted: The valid rows by line number.
        rejected: All other rows.
        raw: Each row as it stands in the file, by line number.
        seen: What makes two rows the same event, and the line it was first seen on.
    """

    delimiter: str
    accepted: dict[int, ImportedIncident] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)
    raw: dict[int, dict[str, str]] = field(default_factory=dict)
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)

    def reject(self, line: int, *problems: Problem) -> None:
        """Move a line to the rejected ones."""
        self.accepted.pop(line, None)
        self.rejected.append(RejectedRow(line=line, values=self.raw[line], problems=list(problems)))


def parse(content: bytes, now: datetime) -> ParsedFile:
    """Read an uploaded file.

    Args:
        content: CSV in UTF-8 (with or without byte order mark) or in UTF-16 with one, separated
            by commas, semicolons or tabs, with a header line.
        now: Nothing can have happened later.

    Returns:
        Every line that is not blank, as accepted or rejected.

    Raises:
        UnreadableFileError: It is not text, lacks columns, or is not CSV.
        TooManyRowsError: It has more than :data:`MAX_ROWS` rows.
    """
    text = _decode(content)
    delimiter = _delimiter(text)
    parsed = ParsedFile(delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = _header(reader)
        end_of_row = reader.line_num
        for cells in reader:
            line, end_of_row = end_of_row + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                _read_row(parsed, line, header, cells, now)
    except csv.Error as error:
        msg = f"line {reader.line_num} is not CSV: {error}"
        raise UnreadableFileError(msg) from error
    return parsed


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        msg = f"byte {error.start + 1} is not UTF-8 text; save the file as “CSV UTF-8”"
        raise UnreadableFileError(msg) from error
    if "\0" in text:
        msg = "the file holds zero bytes: it is not a text file"
        raise UnreadableFileError(msg)
    if not text.strip():
        msg = "the file is empty"
        raise UnreadableFileError(msg)
    return text


def _delimiter(text: str) -> str:
    return max(",;\t", key=text.lstrip().partition("\n")[0].count)


def _header(reader: Iterator[list[str]]) -> list[str]:
    cells = next(cells for cells in reader if any(cell.strip() for cell in cells))
    header = [cell.strip().lower().replace(" ", "_") for cell in cells]
    if missing := [name for name in REQUIRED if name not in header]:
        msg = f"the header line lacks {', '.join(missing)}; it has {', '.join(header)[:200]}"
        raise UnreadableFileError(msg)
    if unknown := [name for name in header if name not in (*REQUIRED, *OPTIONAL, *IGNORED)]:
        msg = f"the header line has unknown columns: {', '.join(unknown)[:200]}"
        raise UnreadableFileError(msg)
    if len(set(header)) < len(header):
        msg = "the header line names a column twice"
        raise UnreadableFileError(msg)
    return header


def _read_row(
    parsed: ParsedFile, line: int, header: list[str], cells: list[str], now: datetime
) -> None:
    if len(parsed.raw) == MAX_ROWS:
        msg = f"the file has more than {MAX_ROWS:,} rows; split it"
        raise TooManyRowsError(msg)
    # Cells beyond the header keep a name, so that a rejected row can be given back whole.
    names = header + [f"column {number}" for number in range(len(header) + 1, len(cells) + 1)]
    parsed.raw[line] = dict(zip(names, cells, strict=False))
    if len(cells) != len(header):
        reason = f"the row has {len(cells)} cells, the header {len(header)}"
        parsed.reject(line, Problem(line=line, column="", reason=reason))
        return
    try:
        incident = ImportedIncident.model_validate(_typed(parsed.raw[line], parsed.delimiter))
    except ValidationError as error:
        parsed.reject(line, *_problems(line, error))
        return
    same = (incident.opened_at, incident.depot, incident.kind, incident.summary)
    if incident.opened_at > now:
        reason = "lies in the future"
        parsed.reject(line, Problem(line=line, column="opened_at", reason=reason))
    elif (first := parsed.seen.setdefault(same, line)) != line:
        parsed.reject(line, Problem(line=line, column="", reason=f"repeats line {first}"))
    else:
        parsed.accepted[line] = incident


def _typed(values: dict[str, str], delimiter: str) -> dict[str, str]:
    """Pick the columns that count, in the spelling that the desk uses."""
    wanted = {name: values[name].strip() for name in (*REQUIRED, *OPTIONAL) if name in values}
    for name, spellings in _SPELLINGS.items():
        wanted[name] = spellings.get(wanted[name].casefold(), wanted[name])
    cost = wanted.pop("cost_eur", "")
    if delimiter == ";" and "," in cost:  # where commas are decimal, semicolons separate
        cost = cost.replace(".", "").replace(",", ".")
    return {**wanted, **({"cost_eur": cost} if cost else {})}


def _problems(line: int, error: ValidationError) -> list[Problem]:
    return [
        Problem(
            line=line,
            column=str(problem["loc"][0]) if problem["loc"] else "",
            reason=problem["msg"].removeprefix("Value error, "),
        )
        for problem in error.errors(include_url=False, include_context=False)
    ]

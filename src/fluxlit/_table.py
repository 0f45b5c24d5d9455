"""A table of 64-bit integers in a file that several processes map: numbers without messages.

Each cell has one writer at a time; whoever divides the columns says who. A cell is aligned and
moved whole, so a reader sees an old number or a new one and never half of each. Nothing promises
that two cells of a row belong to the same moment.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

_CELL = 8

Row = memoryview
"""The cells of one row; assigning to one is seen by every process that has the file open."""


class Table:
    """One open table.

    Args:
        path: The file, made by :meth:`create`.
        columns: Cells in a row; the same number for everybody who opens the file.

    Raises:
        OSError: There is no such file.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "numbers")
        >>> Table.create(path, rows=2, columns=3)
        >>> Table(path, columns=3)[1][0] += 7
        >>> Table(path, columns=3)[1].tolist()
        [7, 0, 0]
    """

    def __init__(self, path: Path, columns: int) -> None:
        with path.open("r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self._columns = columns

    @staticmethod
    def create(path: Path, *, rows: int, columns: int) -> None:
        """Make the file, all zeros, for this user alone.

        Raises:
            OSError: It exists, or cannot be made.
        """
        with path.open("xb") as file:
            path.chmod(0o600)
            # Written, not only made as long: a cell for which a full disk has no room would end,
            # by SIGBUS, whoever touches it.
            file.write(bytes(rows * columns * _CELL))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._cells) // self._columns

    def __getitem__(self, index: int) -> Row:
        """Return a row, to read or to write."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._cells[index * self._columns : (index + 1) * self._columns]

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows."""
        return (self[index] for index in range(len(self)))

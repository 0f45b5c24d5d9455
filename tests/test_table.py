from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fluxlit._table import Table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Table.create(tmp_path / "numbers", rows=3, columns=4)
    return tmp_path / "numbers"


def test_it_is_made_empty_and_private_and_only_once(path: Path) -> None:
    table = Table(path, 4)
    assert [row.tolist() for row in table] == [[0] * 4] * 3
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        Table.create(path, rows=3, columns=4)


def test_a_cell_holds_64_bits_with_a_sign(path: Path) -> None:
    row = Table(path, 4)[1]
    row[0], row[3] = 2**63 - 1, -(2**63)
    assert Table(path, 4)[1].tolist() == [2**63 - 1, 0, 0, -(2**63)]
    assert Table(path, 4)[0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_row_beyond_the_last(path: Path, index: int) -> None:
    with pytest.raises(IndexError):
        _ = Table(path, 4)[index]


@pytest.mark.integration
def test_what_another_process_writes_is_seen(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from fluxlit._table import Table;"
        "Table(Path(sys.argv[1]), 4)[2][1] = 42"
    )
    table = Table(path, 4)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=30)
    assert table[2][1] == 42

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError

from fluxlit._streamlit import media
from fluxlit._streamlit.media import LINGER_SECONDS, LingeringStorage

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> LingeringStorage:
    return LingeringStorage("/media", clock=clock)


def keep(storage: LingeringStorage, content: bytes | str, name: str | None = None) -> str:
    return storage.load_and_get_id(content, "text/plain", MediaFileKind.DOWNLOADABLE, name)


def has(storage: LingeringStorage, file_id: str) -> bool:
    try:
        storage.get_file(f"{file_id}.txt")
    except MediaFileStorageError:
        return False
    return True


def test_a_deleted_file_is_served_until_its_time_is_over(
    storage: LingeringStorage, clock: Clock
) -> None:
    left = keep(storage, b"left")
    storage.delete_file(left)
    clock.now += LINGER_SECONDS - 1
    keep(storage, b"something else")
    assert storage.get_file(f"{left}.txt").content == b"left"
    clock.now += 1
    keep(storage, b"something else")
    assert not has(storage, left)


def test_a_file_that_is_named_again_stays(storage: LingeringStorage, clock: Clock) -> None:
    back = keep(storage, b"back")
    storage.delete_file(back)
    assert keep(storage, b"back") == back
    clock.now += 2 * LINGER_SECONDS
    keep(storage, b"something else")
    assert has(storage, back)


def test_a_file_that_leaves_twice_lingers_from_the_second_time(
    storage: LingeringStorage, clock: Clock
) -> None:
    file_id = keep(storage, b"x")
    storage.delete_file(file_id)
    clock.now += LINGER_SECONDS - 1
    storage.delete_file(file_id)
    clock.now += 2
    keep(storage, b"something else")
    assert has(storage, file_id)


def test_what_lingers_is_bounded_and_the_first_to_leave_goes_first(
    storage: LingeringStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LINGER_BYTES", 3 * MIB)
    files = [keep(storage, bytes([number]) * MIB) for number in range(5)]
    for file_id in files:
        storage.delete_file(file_id)
    assert [has(storage, file_id) for file_id in files] == [False, False, True, True, True]
    whole = keep(storage, b"w" * 4 * MIB)
    storage.delete_file(whole)  # larger than all that may linger, and still offered by its page
    assert [has(storage, file_id) for file_id in [*files, whole]] == [False] * 5 + [True]


def test_files_that_are_not_there_can_be_deleted(storage: LingeringStorage) -> None:
    storage.delete_file("never")
    file_id = keep(storage, b"x")
    assert has(storage, file_id)


def test_large_files_that_differ_in_one_byte_anywhere_are_two(storage: LingeringStorage) -> None:
    mine, yours = bytearray(2 * MIB), bytearray(2 * MIB)
    yours[400_000] = 1  # not among the samples by which Streamlit names a file
    first, second = keep(storage, bytes(mine)), keep(storage, bytes(yours))
    assert first != second
    assert storage.get_file(first).content == mine
    assert storage.get_file(second).content == yours


def test_type_and_file_name_are_part_of_a_file(storage: LingeringStorage) -> None:
    same, other = keep(storage, b"x", "a.txt"), keep(storage, b"x", "b.txt")
    assert same == keep(storage, b"x", "a.txt")
    assert same != other
    assert storage.get_file(other).filename == "b.txt"


def test_a_path_is_read(storage: LingeringStorage, tmp_path: Path) -> None:
    path = tmp_path / "sound"
    path.write_bytes(b"of a file")
    assert storage.get_file(keep(storage, str(path))).content == b"of a file"
    with pytest.raises(MediaFileStorageError):
        keep(storage, str(tmp_path / "missing"))

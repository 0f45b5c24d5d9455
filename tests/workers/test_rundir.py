from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.workers.rundir import (
    MAX_SOCKET_PATH,
    RunDirectory,
    api_socket,
    base_directory,
    sweep,
    ui_socket,
)
from fluxlit.workers.sockets import bind_unix

DEAD = "0123456789abcdef"


@pytest.fixture
def base() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as folder:
        yield Path(folder)


def leftover(base: Path, name: str = DEAD) -> Path:
    """What a killed service leaves: sockets and a lock that nobody holds."""
    folder = base / name
    folder.mkdir(mode=0o700)
    (folder / "lock").touch()
    bind_unix(ui_socket(folder, 0, 1)).close()
    return folder


def grow_old(path: Path) -> None:
    before = time.time() - 3600
    os.utime(path, (before, before))


def test_it_is_private_while_it_lives_and_gone_afterwards(base: Path) -> None:
    with RunDirectory(base) as directory:
        assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
        bind_unix(api_socket(directory.path)).close()
        assert stat.S_IMODE(Path(api_socket(directory.path)).stat().st_mode) == 0o600
    assert list(base.iterdir()) == []


def test_its_sockets_are_named_in_one_place(base: Path) -> None:
    assert api_socket(base) == f"{base}/api.sock"
    assert ui_socket(base, 3, 7) == f"{base}/ui-3.7.sock"


def test_what_a_killed_service_left_is_removed_by_the_next_start(base: Path) -> None:
    left = leftover(base)
    with RunDirectory(base) as directory:
        assert not left.exists()
        assert directory.path.exists()


def test_a_living_service_keeps_its_directory(base: Path) -> None:
    with RunDirectory(base) as first, RunDirectory(base) as second:
        assert sweep(base) == []
        assert first.path.exists()
        assert second.path.exists()


@pytest.mark.parametrize("old", [False, True])
def test_a_directory_in_the_making_is_removed_only_when_it_is_old(base: Path, old: bool) -> None:
    folder = leftover(base, f".{DEAD}")
    if old:
        grow_old(folder)
    sweep(base)
    assert folder.exists() is not old


def test_nobodys_files_are_removed(base: Path) -> None:
    """A person may name any folder of theirs, such as their home, as the run directory."""
    foreign = [base / "projects" / "app.py", base / DEAD / "notes.txt", base / "lock"]
    nested = base / DEAD[::-1] / "deep" / "file.txt"
    (base / DEAD[::-1]).mkdir()
    for file in (*foreign, nested):
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    for folder in (base / DEAD[::-1], base / "projects"):
        (folder / "lock").touch()
    grow_old(base / "projects")
    sweep(base)
    assert all(file.read_text() == "mine" for file in (*foreign, nested))


def test_an_empty_leftover_is_removed(base: Path) -> None:
    (base / DEAD).mkdir()
    assert sweep(base) == [base / DEAD]
    assert not (base / DEAD).exists()


def test_a_symlink_is_left_alone_with_what_it_leads_to(base: Path) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:
        target = leftover(Path(elsewhere))
        (base / DEAD).symlink_to(target)
        assert sweep(base) == []
        assert (target / "lock").exists()


def test_two_sweeps_at_once_agree(base: Path) -> None:
    for number in range(40):
        leftover(base, f"{number:016x}")
    failures: list[BaseException] = []

    def one() -> None:
        try:
            sweep(base)
        except BaseException as exc:  # noqa: BLE001 - told to the test
            failures.append(exc)

    sweepers = [threading.Thread(target=one) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join(20)
    assert failures == []
    assert list(base.iterdir()) == []


def test_a_held_lock_is_not_taken_by_looking(base: Path) -> None:
    left = leftover(base)
    with (left / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert sweep(base) == []
        assert (left / "ui-0.1.sock").exists()


def test_the_chosen_folder_is_made_and_private(base: Path) -> None:
    chosen = base / "deep" / "run"
    assert base_directory({"FLUXLIT_RUN_DIR": str(chosen)}) == chosen
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700


def test_a_long_temporary_directory_is_passed_over(base: Path) -> None:
    long = base / ("x" * MAX_SOCKET_PATH)
    long.mkdir()
    found = base_directory({"XDG_RUNTIME_DIR": str(long)})
    assert found.name == f"fluxlit-{os.getuid()}"
    assert not found.is_relative_to(long)


def test_a_chosen_folder_that_is_too_long_is_refused_by_name(base: Path) -> None:
    chosen = str(base / ("x" * MAX_SOCKET_PATH))
    with pytest.raises(StartupError, match="short enough") as caught:
        base_directory({"FLUXLIT_RUN_DIR": chosen})
    assert chosen in str(caught.value)
    assert "FLUXLIT_RUN_DIR" in caught.value.remedy


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o777])
def test_a_folder_that_others_can_enter_is_refused(base: Path, mode: int) -> None:
    folder = base / "run"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StartupError, match="not private"):
        base_directory({"FLUXLIT_RUN_DIR": str(folder)})


def test_a_planted_symlink_or_file_is_refused(base: Path) -> None:
    (base / "private").mkdir(mode=0o700)
    (base / "link").symlink_to(base / "private")
    (base / "file").touch()
    with pytest.raises(StartupError, match="not private"):
        base_directory({"FLUXLIT_RUN_DIR": str(base / "link")})
    with pytest.raises(StartupError, match="cannot make"):
        base_directory({"FLUXLIT_RUN_DIR": str(base / "file")})

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from fluxlit.exceptions import ConfigurationError, FluxLitError, StartupError
from fluxlit.runtime.pidfile import PidFile, pidfile_path, remove_stale, running_pid

LARGE = "import os\n" * 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "service.pid"


@pytest.mark.parametrize(
    ("given", "variable", "chosen"),
    [
        (None, None, ".fluxlit-dev.pid"),
        (None, "  ", ".fluxlit-dev.pid"),
        (None, "/run/x.pid", "/run/x.pid"),
        (Path("mine.pid"), "/run/x.pid", "mine.pid"),
    ],
)
def test_flag_then_environment_then_default(
    given: Path | None, variable: str | None, chosen: str
) -> None:
    environ = {} if variable is None else {"FLUXLIT_PIDFILE": variable}
    assert pidfile_path(given, environ) == Path(chosen).absolute()


def test_it_names_this_process_while_it_is_held_and_is_gone_afterwards(path: Path) -> None:
    with PidFile(path):
        assert path.read_text() == f"{os.getpid()}\n"
        assert running_pid(path) == os.getpid()
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "1\n", f"{os.getpid()}\n", "garbage\n", "\xff\n"])
def test_a_file_that_nobody_holds_is_taken_over_whatever_it_says(path: Path, content: str) -> None:
    path.write_text(content, encoding="latin-1")
    assert running_pid(path) is None
    with PidFile(path):
        assert running_pid(path) == os.getpid()


def test_a_second_service_is_refused_and_the_first_keeps_its_file(path: Path) -> None:
    with PidFile(path):
        with pytest.raises(StartupError, match="already running") as caught, PidFile(path):
            pass
        assert str(path) in str(caught.value)
        assert "fluxlit shutdown" in caught.value.remedy
        assert running_pid(path) == os.getpid()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "x.pid"):
        with (
            pytest.raises(StartupError, match="cannot write the pid file") as caught,
            PidFile(path),
        ):
            pass
        assert "--no-pidfile" in caught.value.remedy


def test_somebodys_file_named_by_mistake_is_neither_written_nor_removed(path: Path) -> None:
    path.write_text(LARGE)
    with pytest.raises(FluxLitError, match="not a pid file"), PidFile(path):
        pass
    with pytest.raises(FluxLitError, match="not a pid file"):
        remove_stale(path)
    assert path.read_text() == LARGE


@pytest.mark.parametrize("content", ["", "garbage", "-5", "0", "1"])
def test_a_held_file_without_a_process_id_is_no_target_for_a_signal(
    path: Path, content: str
) -> None:
    with PidFile(path):
        path.write_text(content)
        with pytest.raises(ConfigurationError, match="holds no process id"):
            running_pid(path)


def test_a_missing_file_is_told_apart_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        running_pid(tmp_path / "none.pid")
    with pytest.raises(ConfigurationError, match="cannot read the pid file"):
        running_pid(tmp_path)


def test_a_stale_file_is_removed_and_a_held_one_is_not(path: Path) -> None:
    path.write_text("4\n")
    remove_stale(path)
    assert not path.exists()
    remove_stale(path)
    with PidFile(path):
        remove_stale(path)
        assert path.exists()


def test_somebody_who_looks_too_is_not_taken_for_the_service(path: Path) -> None:
    path.write_text("4\n")
    with path.open() as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert running_pid(path) is None
        remove_stale(path)
        assert path.exists()


def test_whoever_holds_it_holds_the_file_that_others_find(path: Path) -> None:
    """A file that is opened just before its owner removes it must not be taken for the file."""
    failures: list[BaseException] = []
    held = 0

    def come_and_go() -> None:
        nonlocal held
        for _ in range(200):
            try:
                with PidFile(path):
                    held += 1
                    assert path.read_text() == f"{os.getpid()}\n"
            except StartupError:
                continue  # somebody else is quicker
            except BaseException as exc:  # noqa: BLE001 - told to the test
                failures.append(exc)

    services = [threading.Thread(target=come_and_go) for _ in range(4)]
    for service in services:
        service.start()
    for service in services:
        service.join(20)
    assert failures == []
    assert held > 0
    assert not path.exists()

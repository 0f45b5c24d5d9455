from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fluxlit.auth import login_file
from fluxlit.auth.login_file import FileTokenStore

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_entry_can_be_taken_once_and_in_time_by_another_process(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "logins"
    one, other = (
        FileTokenStore(path, state_ttl_seconds=10, otc_ttl_seconds=5, clock=clock) for _ in "12"
    )
    one.save_pkce_verifier("s", "verifier", now=0)
    one.save_exchange_token("c", "token", now=0)
    assert other.pop_pkce_verifier("c", now=0) is None
    assert other.pop_pkce_verifier("s", now=0) == "verifier"
    assert one.pop_pkce_verifier("s", now=0) is None
    clock.now += 5
    assert other.pop_exchange_token("c", now=0) is None
    one.save_exchange_token("d", "token", now=0)
    clock.now += 4
    assert other.pop_exchange_token("d", now=0) == "token"


def test_nobody_else_can_read_it_and_no_code_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "logins"
    FileTokenStore(path).save_exchange_token("the-code", "token", now=0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"the-code" not in path.read_bytes()


def test_a_flood_ends_the_oldest_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_file, "MOST", 3)
    clock = Clock()
    store = FileTokenStore(tmp_path / "logins", clock=clock)
    store.save_exchange_token("other", "t", now=0)
    for number in range(5):
        clock.now += 1
        store.save_pkce_verifier(f"{number}", f"v{number}", now=0)
    found = [store.pop_pkce_verifier(f"{number}", now=0) for number in range(5)]
    assert found == [None, None, "v2", "v3", "v4"]
    assert store.pop_exchange_token("other", now=0) == "t"


def test_of_many_who_bring_a_code_at_once_one_gets_the_token(tmp_path: Path) -> None:
    path, start = tmp_path / "logins", threading.Barrier(8)
    FileTokenStore(path).save_exchange_token("code", "token", now=0)

    def take(_: int) -> str | None:
        start.wait(20)
        return FileTokenStore(path).pop_exchange_token("code", now=0)

    with ThreadPoolExecutor(8) as takers:
        answers = list(takers.map(take, range(8)))
    assert sorted(answers, key=str) == [None] * 7 + ["token"]


LOGINS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from fluxlit.auth.login_file import FileTokenStore

def log_in(number):
    store, code = FileTokenStore(Path(sys.argv[1])), f"{sys.argv[2]} {number}"
    store.save_exchange_token(code, f"token {number}", now=0)
    return [store.pop_exchange_token(code, now=0) for _ in range(2)]

with ThreadPoolExecutor(8) as threads:
    given = list(threads.map(log_in, range(100)))
assert given == [[f"token {number}", None] for number in range(100)], given
"""


@pytest.mark.integration
def test_processes_and_their_threads_wait_for_one_another(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", LOGINS, str(tmp_path / "logins")]
    workers = [subprocess.Popen([*arguments, name]) for name in ("one", "two", "three")]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.runtime.harness import until
from tests.support.terminal import in_terminal

from fluxlit.runtime.signals import ECHO, Hangup, Meaning, SignalInbox

LISTENER = """
import asyncio, logging, os
from pathlib import Path
from fluxlit.runtime.signals import SignalInbox

def tell(word):
    with Path("heard").open("a") as file:
        file.write(word + "\\n")

class Told(logging.Handler):
    def emit(self, record):
        tell("outlived")

logging.getLogger("fluxlit").setLevel("INFO")
logging.getLogger("fluxlit").addHandler(Told())

async def main():
    inbox = SignalInbox()
    with inbox.open():
        Path("pid").write_text(str(os.getpid()))
        tell("listening")
        ending = asyncio.ensure_future(inbox.ends.get())
        while not ending.done():
            reloading = asyncio.ensure_future(inbox.reload.wait())
            await asyncio.wait({ending, reloading}, return_when=asyncio.FIRST_COMPLETED)
            if reloading.done():
                inbox.reload.clear()
                tell("reload")
        tell(ending.result().name)

asyncio.run(main())
"""


@pytest.fixture
def listener(tmp_path: Path) -> str:
    (tmp_path / "listener.py").write_text(LISTENER)
    return f"{sys.executable} listener.py"


Heard = Callable[[str], None]


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    """Wait until the listener has heard just this; at the end it is gone in any case."""
    file = tmp_path / "heard"

    def wait(words: str) -> None:
        until(lambda: file.exists() and file.read_text().split() == words.split(), seconds=10)

    yield wait
    if (tmp_path / "pid").exists() and psutil.pid_exists(pid(tmp_path)):
        os.kill(pid(tmp_path), signal.SIGKILL)


def pid(home: Path) -> int:
    return int((home / "pid").read_text())


@pytest.mark.parametrize(
    ("terminal", "outlives", "meaning"),
    [
        ([False], False, [Meaning.RELOAD]),
        ([False], True, [Meaning.RELOAD]),
        ([True, True], False, [Meaning.RELOAD]),
        ([True, True], True, [Meaning.RELOAD]),
        ([True, False], False, [Meaning.END]),
        ([True, False], True, [Meaning.NOTHING, Meaning.RELOAD]),
    ],
)
def test_what_a_hangup_means(terminal: list[bool], outlives: bool, meaning: list[Meaning]) -> None:
    seen = iter(terminal)
    hangup = Hangup(lambda: next(seen), outlives=outlives)
    assert [hangup.meaning() for _ in meaning] == meaning


def test_a_terminal_that_goes_only_after_the_signal_ends_it() -> None:
    seen = iter([True, True, False])

    async def main() -> None:
        inbox = SignalInbox(Hangup(lambda: next(seen), outlives=False))
        inbox._hear(signal.SIGHUP)
        assert await asyncio.wait_for(inbox.ends.get(), 5) is signal.SIGHUP
        assert not inbox.reload.is_set()

    asyncio.run(main())


@pytest.mark.integration
def test_without_a_terminal_a_hangup_reloads(tmp_path: Path, listener: str, heard: Heard) -> None:
    with subprocess.Popen(listener.split(), cwd=tmp_path, start_new_session=True) as process:
        heard("listening")
        process.send_signal(signal.SIGHUP)
        heard("listening reload")
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGHUP)  # the echo
        heard("listening reload reload")
        process.send_signal(signal.SIGUSR1)  # somebody else, who waits for the outcome
        heard("listening reload reload reload")
        process.send_signal(signal.SIGTERM)
        heard("listening reload reload reload SIGTERM")
        assert process.wait(5) == 0


@pytest.mark.integration
def test_in_a_terminal_kill_reloads_and_closing_it_ends(
    tmp_path: Path, listener: str, heard: Heard
) -> None:
    with in_terminal(*listener.split(), directory=tmp_path) as terminal:
        heard("listening")
        terminal.process.send_signal(signal.SIGHUP)
        heard("listening reload")
        until_no_echo()
        terminal.close()
        heard("listening reload SIGHUP")
        assert terminal.process.wait(5) == 0


def until_no_echo() -> None:
    """Let the time pass in which a second signal is the first one's echo."""
    with pytest.raises(subprocess.TimeoutExpired):
        # Twice, as the first one may be heard later than it was sent.
        subprocess.run(["sleep", "9"], timeout=2 * ECHO, check=False)


@pytest.mark.integration
@pytest.mark.parametrize("how", ["the leader is killed", "the window is closed"])
def test_a_command_of_a_shell_ends_with_the_terminal(
    tmp_path: Path, listener: str, heard: Heard, how: str
) -> None:
    """The shell leads the session; its end is signalled before the terminal is taken away."""
    with in_terminal("/bin/sh", "-c", f"{listener}; true", directory=tmp_path) as terminal:
        heard("listening")
        if how == "the leader is killed":
            terminal.process.kill()
        else:
            terminal.close()
        heard("listening SIGHUP")
        until(lambda: not is_alive(pid(tmp_path)), seconds=5)


def is_alive(number: int) -> bool:
    try:
        return bool(psutil.Process(number).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.integration
def test_nohup_outlives_the_terminal_and_reloads_after(
    tmp_path: Path, listener: str, heard: Heard
) -> None:
    with in_terminal("nohup", *listener.split(), directory=tmp_path) as terminal:
        heard("listening")
        terminal.close()
        heard("listening outlived")
        until_no_echo()
        terminal.process.send_signal(signal.SIGHUP)
        heard("listening outlived reload")
        terminal.process.send_signal(signal.SIGTERM)
        heard("listening outlived reload SIGTERM")

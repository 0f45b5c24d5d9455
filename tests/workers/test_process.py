from __future__ import annotations

import asyncio
import logging
import os
import signal
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import psutil
import pytest

from fluxlit.exceptions import StartupError
from fluxlit.workers.board import State
from fluxlit.workers.child import Child
from fluxlit.workers.command import WorkerKind
from fluxlit.workers.process import WorkerProcess, launch
from fluxlit.workers.spec import WorkerSpec

pytestmark = pytest.mark.integration

CHILD = """
import json, os, signal, socket, sys, time
line = socket.socket(fileno=int(sys.argv[1]))
spec = json.loads(line.makefile().readline())
def say(**message): line.sendall(json.dumps(message).encode() + b"\\n")
"""

Make = Callable[[str], WorkerProcess]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a worker that runs a few lines after it has heard its spec."""

    def build(code: str) -> WorkerProcess:
        script = tmp_path / "child.py"
        script.write_text(CHILD + textwrap.dedent(code))
        return WorkerProcess(
            Child(
                WorkerKind.UI,
                command=lambda python, _, channel: [python, "-S", "-E", str(script), str(channel)],
            ),
            WorkerSpec(target="app:app", run_directory=str(tmp_path), cookie_secret="s3cret"),
        )

    return build


def run(scenario: Coroutine[None, None, None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await scenario

    asyncio.run(main())


def is_gone(worker: WorkerProcess) -> bool:
    return worker.state is State.GONE and not psutil.pid_exists(worker.pid)


def test_a_worker_is_ready_when_it_says_so_and_ends_when_asked(make: Make) -> None:
    async def scenario() -> None:
        worker = await launch(make("say(event='ready'); time.sleep(60)"))
        worker.admit()
        assert worker.state is State.READY
        assert psutil.Process(worker.pid).is_running()
        await worker.stop(5)
        assert is_gone(worker)

    run(scenario())


def test_it_is_told_its_spec_over_the_channel_alone(make: Make) -> None:
    code = """
    said = " ".join(sys.argv) + str(dict(os.environ))
    say(event="failed", message=f"{spec['cookie_secret']} {'s3cret' in said}")
    """

    async def scenario() -> None:
        with pytest.raises(StartupError, match=r"^s3cret False$"):
            await launch(make(code))

    run(scenario())


@pytest.mark.parametrize("by_app", [True, False])
def test_its_own_words_explain_a_failed_start(make: Make, by_app: bool) -> None:
    said = f"event='failed', message='no page', remedy='write one', by_app={by_app}"

    async def scenario() -> None:
        worker = make(f"say({said}); time.sleep(60)")
        with pytest.raises(StartupError, match=r"^no page$") as caught:
            await launch(worker)
        assert (caught.value.remedy, caught.value.by_app) == ("write one", by_app)
        assert is_gone(worker)

    run(scenario())


@pytest.mark.parametrize(
    ("code", "how"),
    [("sys.exit(3)", "exit status 3"), ("os.kill(os.getpid(), 9)", "signal 9")],
)
def test_one_that_ends_before_it_is_ready_is_reported_with_its_status(
    make: Make, code: str, how: str
) -> None:
    async def scenario() -> None:
        with pytest.raises(StartupError, match=how):
            await launch(make(code))

    run(scenario())


def test_one_that_cannot_even_hear_its_spec_is_reported_the_same_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        worker = WorkerProcess(
            Child(WorkerKind.UI, command=lambda *_: ["/bin/false"]),
            WorkerSpec(target="x:y", run_directory=str(tmp_path)),
        )
        with pytest.raises(StartupError, match="exit status 1"):
            await launch(worker)

    run(scenario())


def test_a_program_that_cannot_be_started_is_a_clear_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        worker = WorkerProcess(
            Child(WorkerKind.GATEWAY, command=lambda *_: [str(tmp_path / "nothing")]),
            WorkerSpec(target="x:y", run_directory=str(tmp_path)),
        )
        with pytest.raises(StartupError, match="cannot start a gateway worker: No such file"):
            await launch(worker)

    run(scenario())


def test_one_that_never_becomes_ready_is_ended(make: Make) -> None:
    async def scenario() -> None:
        worker = make("time.sleep(60)")
        with pytest.raises(StartupError, match=r"not ready within 0\.3 s"):
            await launch(worker, within=0.3)
        assert is_gone(worker)

    run(scenario())


def test_one_that_says_the_wrong_thing_is_ended(make: Make) -> None:
    async def scenario() -> None:
        worker = make("say(event='loaded'); time.sleep(60)")
        with pytest.raises(StartupError, match="said 'loaded' where 'ready' was due"):
            await launch(worker)
        assert is_gone(worker)

    run(scenario())


def test_a_cancelled_start_leaves_no_process(make: Make, tmp_path: Path) -> None:
    async def scenario() -> None:
        worker = make(f"open({str(tmp_path / 'born')!r}, 'w'); time.sleep(60)")
        starting = asyncio.ensure_future(launch(worker))
        while not (tmp_path / "born").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert is_gone(worker)

    run(scenario())


def test_one_that_was_asked_to_end_tells_when_it_accepts_nobody_any_more(make: Make) -> None:
    code = """
    signal.signal(signal.SIGTERM, lambda *_: say(event="closed"))
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
    say(event="ready")
    while True: signal.pause()
    """

    async def scenario() -> None:
        worker = await launch(make(code))
        closed = asyncio.ensure_future(worker.closed())
        stopping = asyncio.ensure_future(worker.stop(10))
        await closed
        assert (worker.state, stopping.done()) == (State.DRAINING, False)
        os.kill(worker.pid, signal.SIGUSR1)
        await stopping
        assert (worker.returncode, is_gone(worker)) == (0, True)

    run(scenario())


@pytest.mark.parametrize("code", ["sys.exit(1)", "os.kill(os.getpid(), 9)"])
def test_one_that_is_gone_accepts_nobody(make: Make, code: str) -> None:
    async def scenario() -> None:
        worker = await launch(make(f"say(event='ready'); {code}"))
        await worker.wait()
        await worker.closed()

    run(scenario())


STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say(event='ready'); time.sleep(60)"


def test_one_that_does_not_end_in_time_is_killed_with_a_word(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        worker = await launch(make(STUBBORN))
        await worker.stop(0.2)
        assert worker.returncode == -9
        assert is_gone(worker)

    with caplog.at_level(logging.WARNING):
        run(scenario())
    assert "ui-0 did not end within 0.2 s" in caplog.text


def test_without_grace_it_is_killed_without_a_word(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        worker = await launch(make(STUBBORN))
        started = time.monotonic()
        await worker.stop(0)
        assert time.monotonic() - started < 1
        assert is_gone(worker)

    run(scenario())
    assert caplog.text == ""


def test_its_death_is_noticed_and_its_line_closed(make: Make) -> None:
    async def scenario() -> None:
        worker = await launch(make("say(event='ready'); time.sleep(60)"))
        open_before = psutil.Process().num_fds()
        worker.kill()
        assert await worker.wait() == -9
        assert is_gone(worker)
        assert psutil.Process().num_fds() < open_before
        worker.kill()
        await worker.stop(1)

    run(scenario())


def test_it_runs_in_a_session_of_its_own_so_that_ctrl_c_reaches_the_parent_only(make: Make) -> None:
    async def scenario() -> None:
        worker = make("say(event='failed', message=str(os.getsid(0) == os.getpid()))")
        with pytest.raises(StartupError, match=r"^True$"):
            await launch(worker)

    run(scenario())


def test_nothing_can_be_asked_of_one_that_was_not_started(make: Make) -> None:
    worker = make("")
    assert worker.pid == 0
    assert worker.returncode is None
    worker.kill()
    with pytest.raises(RuntimeError, match="was not spawned"):
        worker.tell({})


def test_a_child_that_was_spawned_ahead_hears_its_spec_when_it_is_to_start(make: Make) -> None:
    async def scenario() -> None:
        worker = make("say(event='failed', message=spec['target'])")
        child = worker._child
        await child.spawn()
        pid = child.pid
        with pytest.raises(StartupError, match=r"^app:app$"):
            await launch(worker)
        assert worker.pid == pid

    run(scenario())


def test_one_that_is_gone_stays_so_whatever_is_asked_of_it_later(make: Make) -> None:
    async def scenario() -> None:
        told: list[State] = []
        worker = make("say(event='ready'); time.sleep(60)")
        worker._note = told.append
        await launch(worker)
        worker.kill()
        await worker.wait()
        await worker.stop(1)
        worker.admit()
        assert told == [State.GONE]

    run(scenario())

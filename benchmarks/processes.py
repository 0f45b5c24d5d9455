"""Starts, watches and ends the contestants' processes, and only those.

Every command leads a process group of its own. Ending it means SIGTERM to that group, then SIGKILL
to whatever is left of the group and of the descendants seen before: nothing is looked up by name.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

MIB = 1024 * 1024
STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start.

    Attributes:
        argv: The command line.
        env: Its environment; of a contestant's, what it has beyond the common one.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ProcessTree:
    """The running commands of one contestant, with all their descendants.

    Args:
        commands: What to start, all at once.
        directory: Where the commands run and where their output is kept.
    """

    def __init__(self, commands: Sequence[Command], directory: Path) -> None:
        self._log = directory / "output.log"
        self._leaders: list[subprocess.Popen[bytes]] = []
        try:
            for command in commands:
                self._leaders.append(self._start(command, directory))
        except OSError:
            self.stop()
            raise

    def _start(self, command: Command, directory: Path) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command.argv,
                cwd=directory,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def died(self) -> str | None:
        """Return the end of the output if a command has ended by itself, else None."""
        if all(leader.poll() is None for leader in self._leaders):
            return None
        return self.output()

    def output(self) -> str:
        """Return the end of what the commands have printed."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Return the commands that still run and their descendants."""
        found: list[psutil.Process] = []
        for leader in self._leaders:
            if leader.poll() is not None:
                continue
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(leader.pid)
                found += [process, *process.children(recursive=True)]
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time that the running processes have used."""
        return sum(map(_cpu_seconds, self.processes()))

    def stop(self) -> None:
        """End every process of the tree and wait until they are gone."""
        descendants = self.processes()
        for leader in self._leaders:
            _signal_group(leader.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for leader in self._leaders:
            with suppress(subprocess.TimeoutExpired):
                leader.wait(max(0.1, deadline - time.monotonic()))
        for leader in self._leaders:
            _signal_group(leader.pid, signal.SIGKILL)
        for process in descendants:
            # psutil compares start times, so a process number used again is not hit.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants, timeout=5)
        for leader in self._leaders:
            leader.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def wait_until_idle(trees: Iterable[ProcessTree], seconds: float = 10.0) -> bool:
    """Wait until the trees together use less than 4 % of a core.

    Returns:
        False if they were still busy after ``seconds``.
    """
    window = 0.25
    watched = list(trees)
    deadline = time.monotonic() + seconds
    before = sum(tree.cpu_seconds() for tree in watched)
    while time.monotonic() < deadline:
        time.sleep(window)
        now = sum(tree.cpu_seconds() for tree in watched)
        if now - before <= 0.04 * window:
            return True
        before = now
    return False


class MachineLoad:
    """Measures what share of all cores is busy, whoever keeps them so."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def share(self) -> float:
        """Return the busy share since this object was made."""
        now = psutil.cpu_times()
        passed = sum(now) - sum(self._before)
        idle = now.idle - self._before.idle
        return 1 - idle / passed if passed > 0 else 0.0


class PeakMemory:
    """Measures how far the processes' resident memory rises above its value at the start.

    Args:
        processes: Whose memory to add up; empty means that nothing is measured.

    Example:
        >>> with PeakMemory([psutil.Process()]) as peak:
        ...     block = bytes(64 * MIB)
        >>> peak.growth_mib > 32
        True
    """

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self._processes = processes
        self._first = self._peak = self._resident()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    def _resident(self) -> int:
        return sum(int(process.memory_info().rss) for process in self._processes)

    def _sample(self) -> None:
        with suppress(psutil.NoSuchProcess):
            while not self._done.wait(0.01):
                self._peak = max(self._peak, self._resident())

    @property
    def growth_mib(self) -> float | None:
        """The highest value seen minus the first one, in MiB; None if nothing was measured."""
        return (self._peak - self._first) / MIB if self._processes else None

"""One real server process of a test: started, awaited, stopped, its output kept in a file."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

POLL = 0.05
SHOWN_OUTPUT = 6000
FOREIGN_PREFIXES = ("FLUXLIT_", "STREAMLIT_", "UVICORN_", "WEB_CONCURRENCY")


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The test's environment without the settings that the developer's shell may hold."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)
    }
    return own | {"PYTHONUNBUFFERED": "1"} | dict(extra)


@dataclass(frozen=True, slots=True)
class Probe:
    """A URL that answers 200 as soon as the server can be used."""

    port: int
    path: str
    host: str = "127.0.0.1"

    def answers(self) -> bool:
        """Ask once; anything but a 200 means "not yet"."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class ServerProcess:
    """A child process that serves until it is told to stop.

    Args:
        command: What to start, with its arguments.
        directory: Its working directory.
        log: File that takes what it prints.
        environment: Variables added to the test's own.
        pass_fds: Descriptors that it inherits.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.command = list(command)
        self.directory = directory
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=directory,
                env=clean_environment(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that what a test sends reaches only whom it names.
                start_new_session=True,
                pass_fds=pass_fds,
            )

    @property
    def pid(self) -> int:
        """The process id of the parent, where signals go."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """All that it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self, probes: Sequence[Probe], *, seconds: float = 60) -> None:
        """Wait until every probe answers.

        Raises:
            AssertionError: It ended before, or did not answer in time; shows its output.
        """
        deadline = time.monotonic() + seconds
        open_probes = list(probes)
        while open_probes := [probe for probe in open_probes if not probe.answers()]:
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(self._report(f"not ready after {seconds:.0f} s", open_probes))
            try:
                status = self._process.wait(timeout=POLL)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(self._report(f"ended with status {status}", open_probes))

    def wait_until_said(self, text: str, *, seconds: float = 30) -> None:
        """Wait until it has printed a text.

        Raises:
            AssertionError: It ended without it, or did not print it in time; shows its output.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.returncode  # before its output: what it says last counts
            if text in self.output():
                return
            if status is not None:
                raise AssertionError(
                    self._report(f"ended with status {status}, never said {text!r}")
                )
            if time.monotonic() > deadline:
                raise AssertionError(self._report(f"did not say {text!r} within {seconds:g} s"))
            time.sleep(POLL)

    def wait(self, *, seconds: float) -> int:
        """Wait for it to end by itself and return its exit status."""
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(self._report(f"still running after {seconds:.0f} s")) from None

    def stop(self, how: signal.Signals = signal.SIGINT, *, seconds: float = 15) -> float:
        """Send a signal and expect a clean end.

        Returns:
            The seconds that it took.

        Raises:
            AssertionError: It took too long or ended with a status other than 0.
        """
        started = time.monotonic()
        self._process.send_signal(how)
        status = self.wait(seconds=seconds)
        if status != 0:
            raise AssertionError(self._report(f"ended with status {status} on {how.name}"))
        return time.monotonic() - started

    def end(self, how: signal.Signals) -> None:
        """Ask it to end, whatever its exit status, and see that it does."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            self.wait(seconds=15)

    def kill(self) -> None:
        """End it the hard way, for the cases that have failed anyway."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _report(self, what: str, open_probes: Sequence[Probe] = ()) -> str:
        waiting = [f"no answer yet: {probe.path}" for probe in open_probes]
        return "\n".join(
            [f"{' '.join(self.command)}: {what}", *waiting, self.output()[-SHOWN_OUTPUT:]]
        )

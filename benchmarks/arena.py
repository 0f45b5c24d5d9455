"""Where contestants run: starts one for a page, waits until it is ready, ends it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.contestants import STREAMLIT_CONFIG, Contestant, environment_for
from benchmarks.drivers.load import Address, check_api
from benchmarks.drivers.readiness import wait_until_ready
from benchmarks.processes import ProcessTree, free_port


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that is ready.

    Attributes:
        contestant: Which one.
        address: Where it listens.
        tree: Its processes.
        launched: When its processes were started, by ``time.perf_counter``.
        ready_seconds: How long it then took to be ready.
        directory: Where it runs.
    """

    contestant: Contestant
    address: Address
    tree: ProcessTree
    launched: float
    ready_seconds: float
    directory: Path

    def gateway(self) -> list[psutil.Process]:
        """Return the processes that the UI's bytes pass through, if there are such."""
        finder = self.contestant.gateway
        return finder(self.tree.processes()) if finder else []


@contextmanager
def running(contestant: Contestant, page: str) -> Iterator[Running]:
    """Start a contestant with a page and end it afterwards, whatever happens in between.

    Raises:
        NotReadyError: It did not get ready.
        MissingToolError: Something it needs is not installed.
    """
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        _write_config(directory)
        address = Address(free_port())
        environment = environment_for(page)
        commands = [
            replace(command, env={**environment, **command.env})
            for command in contestant.launch(address.port, directory)
        ]
        launched = time.perf_counter()
        tree = ProcessTree(commands, directory)
        try:
            wait_until_ready(address, contestant.probes, tree.died)
            ready = time.perf_counter() - launched
            if contestant.api:
                check_api(address, contestant.api)
            yield Running(contestant, address, tree, launched, ready, directory)
        finally:
            tree.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _write_config(directory: Path) -> None:
    folder = directory / ".streamlit"
    folder.mkdir()
    (folder / "config.toml").write_text(STREAMLIT_CONFIG)

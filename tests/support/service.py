"""The ``fluxlit`` command as a user starts it: in a directory, on a free port, until Ctrl-C."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FLUXLIT = str(Path(sys.executable).with_name("fluxlit"))
READY_PATHS = ("/api/readyz", "/_stcore/health")


class Service(ServerProcess):
    """A running ``fluxlit run``; ``origin`` is where it listens, without any mount."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        directory: Path,
        state: Path,
        environment: Mapping[str, str],
        port: int | None = None,
        program: Sequence[str] = (FLUXLIT,),
    ) -> None:
        self.port = port or free_port()
        self.run_root = state / "run"
        self.run_root.mkdir(mode=0o700)
        super().__init__(
            [*program, *arguments, "--port", str(self.port)],
            directory=directory,
            log=state / "output.log",
            environment={
                "FLUXLIT_RUN_DIR": str(self.run_root),
                # Nothing a test does is anybody's statistics.
                "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
                **environment,
            },
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    ready: Sequence[str] = READY_PATHS,
    how: signal.Signals = signal.SIGTERM,
    port: int | None = None,
) -> Iterator[Service]:
    """Run ``fluxlit`` for as long as the block lasts, and hold it to a clean end.

    Args:
        arguments: The command line after ``fluxlit``, e.g. ``"run", "dashboard.py"``.
        directory: Where to start it.
        environment: Variables added to the test's own.
        ready: Paths that must answer 200 before the block begins.
        how: The signal that ends it.
        port: Where it listens, if that was agreed on.

    Raises:
        AssertionError: It did not become ready, did not end in time with status 0, or left
            something in its run directory. The message holds its output.
    """
    # Not pytest's directory: the path of a Unix socket may be 108 bytes long at most.
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as state:
        service = Service(
            arguments,
            directory=directory,
            state=Path(state),
            environment=environment or {},
            port=port,
        )
        try:
            service.wait_until_ready([Probe(service.port, path) for path in ready])
            yield service
        except BaseException:
            service.kill()
            raise
        service.stop(how)
        left = [path.name for path in service.run_root.rglob("*")]
        assert not left, f"left in the run directory: {left}"


def copy_app(source: Path, target: Path) -> Path:
    """Copy an application's folder as a user would have it, without what Python added."""
    return shutil.copytree(
        source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )

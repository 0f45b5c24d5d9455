"""An app served on a Unix socket of this process, for the calls of pages that are tested."""

from __future__ import annotations

import tempfile
import time
import weakref
from pathlib import Path
from threading import Lock, Thread
from typing import Final

import uvicorn

from fluxlit._types import ASGIApp
from fluxlit.exceptions import StartupError

START_SECONDS: Final = 10.0


class ServedApp:
    """Serves an app from when it is first asked for until nobody holds this object any more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._path = ""

    def socket(self, app: ASGIApp) -> str:
        """Return the path of the socket; the first call starts the server.

        Args:
            app: What is served; no lifespan is run.

        Raises:
            StartupError: It cannot be served.
        """
        with self._lock:
            if not self._path:
                self._path = self._start(app)
            return self._path

    def _start(self, app: ASGIApp) -> str:
        # Not the test's own folder: the path of a Unix socket may be 107 bytes long at most.
        folder = tempfile.TemporaryDirectory(prefix="fluxlit-")
        path = str(Path(folder.name) / "api.sock")
        config = uvicorn.Config(
            app, uds=path, lifespan="off", ws="none", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, name="fluxlit-test-api", daemon=True)
        thread.start()
        weakref.finalize(self, _stop, server, thread, folder)
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                msg = "the API could not be served for the page's calls"
                raise StartupError(msg, remedy="see the log above")
            time.sleep(0.002)
        return path


def _stop(server: uvicorn.Server, thread: Thread, folder: tempfile.TemporaryDirectory[str]) -> None:
    server.should_exit = True
    thread.join(START_SECONDS)
    folder.cleanup()

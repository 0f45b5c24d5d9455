"""The proxies of a deployment's files, run as they are but for the addresses."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.nginx import nginx_program
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess

APP = "127.0.0.1:8000"
"""Where the files say that the app is."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """How one program reads its file.

    Attributes:
        file: Its name in a deployment.
        listening: What says in it where to listen, as a pattern.
        listen: What says so for a port of this machine.
        around: What makes a file for the program out of the part of one; ``{site}``, ``{state}``.
        command: The program, given its file.
    """

    file: str
    listening: str
    listen: str
    around: str
    command: Callable[[str], list[str]]

    def config(self, deployment: Path, *, app: int, port: int, state: Path) -> str:
        """Return the deployment's file for other ports; everything else in it stays."""
        text = (deployment / self.file).read_text(encoding="utf-8")
        text, changed = re.subn(
            self.listening, self.listen.format(port=port), text, flags=re.MULTILINE
        )
        assert changed == 1
        assert APP in text
        site = text.replace(APP, f"127.0.0.1:{app}")
        return self.around.replace("{site}", site).replace("{state}", str(state))


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not installed; see scripts/system-packages"
    return found


_TEMPORARY = "".join(
    f"{name}_temp_path {{state}}/{name};\n"
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)
_USER = "user root;\n" if os.geteuid() == 0 else ""

PROXIES = {
    "nginx": Proxy(
        "nginx.conf",
        r"listen 80;",
        "listen 127.0.0.1:{port};",
        f"{_USER}daemon off;\npid {{state}}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{_TEMPORARY}\n{{site}}\n}}\n",
        lambda file: [nginx_program(), "-e", "stderr", "-c", file],
    ),
    "caddy": Proxy(
        "Caddyfile",
        r"^order-desk\.example\.com \{",
        "http://127.0.0.1:{port} {{",
        "{\nadmin off\n}\n{site}",
        lambda file: [_program("caddy"), "run", "--adapter", "caddyfile", "--config", file],
    ),
    "haproxy": Proxy(
        "haproxy.cfg",
        r"bind :80$",
        "bind 127.0.0.1:{port}",
        "{site}",
        lambda file: [_program("haproxy"), "-db", "-f", file],
    ),
}


@contextmanager
def proxy_running(name: str, deployment: Path, *, app: int, ready: str) -> Iterator[str]:
    """Run a deployment's proxy for as long as the block lasts.

    Args:
        name: Of :data:`PROXIES`.
        deployment: The folder of its files.
        app: Port of the app.
        ready: A path that answers 200 through it.

    Yields:
        Scheme, host and port that it listens on.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix=f"fluxlit-{name}-") as folder:
        state = Path(folder)
        file = state / PROXIES[name].file
        file.write_text(PROXIES[name].config(deployment, app=app, port=port, state=state))
        server = ServerProcess(
            PROXIES[name].command(str(file)),
            directory=state,
            log=state / "output.log",
            environment={"HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder},
        )
        try:
            server.wait_until_ready([Probe(port, ready)], seconds=20)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.end(signal.SIGTERM)

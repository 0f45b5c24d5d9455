"""A real nginx before a server, with each prefix rule on a port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BARE_CONFIG = """\
{user}
daemon off;
worker_processes 1;
pid {state}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {state}/body;
    proxy_temp_path {state}/proxy;
    fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi;
    scgi_temp_path {state}/scgi;
    client_max_body_size 0;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
{servers}
}}
"""

SERVER_CONFIG = """\
    server {{
        listen 127.0.0.1:{port};
        absolute_redirect off;
        {extra}
        location = /nginx-is-ready {{ return 200; }}
        location = {prefix} {{ return 308 {prefix}/$is_args$args; }}
        location {prefix}/ {{
            proxy_pass http://127.0.0.1:{upstream}{path};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 300s;
        }}
    }}
"""


@dataclass(frozen=True, slots=True)
class ProxyRule:
    """One address of nginx: what lies under ``prefix`` goes to ``upstream``.

    Attributes:
        upstream: Port of the server behind.
        prefix: Public path, e.g. ``/apps/my-app``.
        strip: Whether the server behind sees paths without the prefix.
        port: Where nginx listens.
        without: Directives that are left out, by a part of their line.
        extra: Directives that are put in.
    """

    upstream: int
    prefix: str
    strip: bool
    port: int
    without: tuple[str, ...] = ()
    extra: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port as the browser sees them."""
        return f"http://127.0.0.1:{self.port}"

    def config(self) -> str:
        """The rule as nginx reads it.

        A ``proxy_pass`` with a path puts that path in the place of the matched prefix; without
        one, the request's path passes as it came.
        """
        text = SERVER_CONFIG.format(
            port=self.port,
            prefix=self.prefix,
            upstream=self.upstream,
            path="/" if self.strip else "",
            extra=self.extra,
        )
        kept = [line for line in text.splitlines() if not any(it in line for it in self.without)]
        return "\n".join(kept)


def prefix_rules(upstream: int, prefix: str) -> dict[Literal["strip", "full"], ProxyRule]:
    """The two common ways to publish a server under a prefix, by name."""
    return {
        "strip": ProxyRule(upstream, prefix, strip=True, port=free_port()),
        "full": ProxyRule(upstream, prefix, strip=False, port=free_port()),
    }


def _nginx_config(rules: Sequence[ProxyRule], state: Path) -> str:
    # Started by root, nginx gives its workers to another user, who may not enter our directory.
    user = "user root;" if os.geteuid() == 0 else ""
    return BARE_CONFIG.format(
        user=user, state=state, servers="".join(rule.config() for rule in rules)
    )


def nginx_program() -> str:
    """Where nginx is installed."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed; see scripts/system-packages"
    return program


@contextmanager
def nginx_running(rules: Sequence[ProxyRule]) -> Iterator[None]:
    """Run nginx with these rules for as long as the block lasts."""
    program = nginx_program()
    with tempfile.TemporaryDirectory(prefix="fluxlit-nginx-") as directory:
        state = Path(directory)
        config = state / "nginx.conf"
        config.write_text(_nginx_config(rules, state), encoding="utf-8")
        server = ServerProcess(
            [program, "-p", directory, "-e", "stderr", "-c", str(config)],
            directory=state,
            log=state / "output.log",
        )
        try:
            server.wait_until_ready([Probe(rule.port, "/nginx-is-ready") for rule in rules])
            yield
            server.stop(signal.SIGTERM)
        finally:
            server.kill()

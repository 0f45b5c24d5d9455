from __future__ import annotations

import socket
import stat
import tempfile
from pathlib import Path

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.workers.sockets import bind_tcp, bind_unix


def test_port_0_is_any_port_and_it_listens() -> None:
    with bind_tcp("localhost", 0) as listener:
        assert not listener.get_inheritable()
        with socket.create_connection(listener.getsockname()[:2], timeout=5):
            pass


def test_a_port_that_is_taken_is_named() -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            StartupError, match=f"port {port} on 127.0.0.1 is already in use"
        ) as err:
            bind_tcp("127.0.0.1", port)
    assert "--port" in err.value.remedy


@pytest.mark.parametrize(
    ("host", "message"),
    [("192.0.2.1", "not an address of this machine"), ("no.such.invalid", "has no address")],
)
def test_a_host_that_is_not_here_is_named(host: str, message: str) -> None:
    with pytest.raises(StartupError, match=message) as caught:
        bind_tcp(host, 0)
    assert host in str(caught.value)
    assert "--host" in caught.value.remedy


def test_a_port_just_left_can_be_taken_again() -> None:
    with bind_tcp("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        listener.setblocking(True)
        listener.accept()[0].close()
    client.close()
    bind_tcp("127.0.0.1", port).close()


def test_a_unix_socket_is_for_this_user_only() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.sock")
        with bind_unix(str(path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(StartupError, match="in use"):
            bind_unix(str(path))

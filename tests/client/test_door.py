"""Calls through a private port: a key in place of a socket that only its owner may open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fluxlit._door import Door
from fluxlit.client import ApiClient, ApiUnavailableError

pytestmark = pytest.mark.integration


class Api(BaseHTTPRequestHandler):
    """Tells what it was asked with."""

    def do_GET(self) -> None:
        told = f"{self.path} {self.headers['Host']} {self.headers['X-FluxLit-Key']}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - its name there


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def client(door: Path) -> ApiClient:
    return ApiClient(
        environ={
            "FLUXLIT_INTERNAL_API_BASE": "http://desk.example/api",
            "FLUXLIT_INTERNAL_API_SOCKET": str(door),
        }
    )


def test_a_call_goes_to_the_private_port_under_the_public_name(port: int, tmp_path: Path) -> None:
    door = tmp_path / "api.door"
    Door(port, "k3y").write(str(door))
    assert door.stat().st_mode & 0o777 == 0o600
    assert client(door).get("/users?a=1").text == "/api/users?a=1 desk.example k3y"


def test_before_there_is_a_port_the_api_is_unavailable(port: int, tmp_path: Path) -> None:
    door = tmp_path / "late.door"
    with pytest.raises(ApiUnavailableError):
        client(door).get("/users")
    Door(port, "k3y").write(str(door))
    assert client(door).get("/users").is_success


def test_the_key_is_not_shown() -> None:
    assert "k3y" not in repr(Door(1, "k3y"))

from __future__ import annotations

import asyncio
import logging
import queue
import socket
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from tests.gateway.harness import BuildHouse, Fixed, House, Serve, parse_reply, read_all
from websockets.sync.client import connect

from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.logging import get_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from fluxlit._types import Message, Scope

pytestmark = pytest.mark.integration

NOWHERE = Upstream("ui-0", socket_path="/nonexistent/ui-0.sock")


def make_api(root_path: str = "") -> FastAPI:
    api = FastAPI()
    api.root_path = root_path  # as the constructor's argument sets it, without its warning

    @api.get("/where/{rest:path}")
    def where(request: Request, rest: str) -> dict[str, object]:
        scope = request.scope
        return {
            "rest": rest,
            "root_path": scope["root_path"],
            "raw_path": scope["raw_path"].decode(),
            "url": str(request.url),
            "request_id": get_request_id(),
            "header": request.headers.get("x-request-id"),
            "client": request.client.host if request.client else None,
        }

    @api.get("/fails")
    def fails() -> None:
        msg = "secret"
        raise ValueError(msg)

    @api.get("/own-id")
    async def own_id() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return StreamingResponse(pieces(), headers={"X-Request-ID": "mine"})

    @api.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"{get_request_id()} {await websocket.receive_text()}")
        await websocket.close(4001, "done")

    return api


def test_the_api_sees_where_it_lives(house: BuildHouse) -> None:
    home = house(GatewayOptions(), make_api())
    reply = home.server.get(b"/api/where/a%2Fb?q=1")
    assert reply.status == 200
    assert b'"rest":"a/b"' in reply.body
    assert b'"root_path":"/api"' in reply.body
    assert b'"raw_path":"/api/where/a%2Fb"' in reply.body
    assert b'"url":"http://front.test/api/where/a/b?q=1"' in reply.body
    assert home.upstream.heads == []
    assert home.server.get(b"/api/nothing").status == 404
    assert home.server.get(b"/api/docs").status == 200
    assert b'"/api"' in home.server.get(b"/api/openapi.json").body


@pytest.mark.parametrize("path", [b"/apps/my-app/api/where/x", b"/api/where/x"])
@pytest.mark.parametrize("own", ["", "/elsewhere", "/api"])
def test_the_mount_is_there_whether_or_not_a_proxy_strips_it(
    house: BuildHouse, path: bytes, own: str
) -> None:
    home = house(GatewayOptions(mount="/apps/my-app"), make_api(own))
    reply = home.server.get(path)
    assert reply.status == 200
    if not own:
        assert b'"raw_path":"/apps/my-app/api/where/x"' in reply.body
        assert b'"root_path":"/apps/my-app/api"' in reply.body


@pytest.mark.parametrize("path", ["пример", "😀", "größe"])
def test_any_letter_may_stand_in_an_api_path(house: BuildHouse, path: str) -> None:
    home = house(GatewayOptions(), make_api())
    quoted = "".join(f"%{byte:02X}" for byte in path.encode()).encode()
    reply = home.server.get(b"/api/where/" + quoted)
    assert f'"rest":"{path}"'.encode() in reply.body


@pytest.mark.parametrize("path", [b"%ff%fe", b"%00", b"%", b"%zz", b"..%2f..", b"%ed%a0%80"])
def test_echo_api_path_is_an_internal_error(house: BuildHouse, path: bytes) -> None:
    home = house(GatewayOptions(), make_api())
    assert home.server.get(b"/api/where/" + path).status == 200


def test_a_request_id_is_made_and_shared(house: BuildHouse) -> None:
    home = house(GatewayOptions(), make_api())
    reply = home.server.get(b"/api/where/x")
    made = reply.header(b"x-request-id") or b""
    assert len(made) == 32
    assert reply.body.count(b'"%b"' % made) == 2
    assert home.server.get(b"/api/where/x").header(b"x-request-id") != made


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"abc-1._:/+=@", True),
        (b"x" * 128, True),
        (b"x" * 129, False),
        (b"a b", False),
        (b"\xe9", False),
    ],
)
def test_a_well_formed_request_id_is_kept(plain: House, given: bytes, kept: bool) -> None:
    for path in (b"/api/x", b"/ui"):
        reply = plain.server.get(path, b"X-Request-ID: " + given)
        assert len(reply.all(b"x-request-id")) == 1
        assert (reply.header(b"x-request-id") == given) is kept
    ids = [value for name, value in plain.upstream.headers() if name == b"x-request-id"]
    assert ids == [reply.header(b"x-request-id")]


def test_an_application_may_set_its_own_request_id(house: BuildHouse) -> None:
    home = house(GatewayOptions(), make_api())
    reply = home.server.get(b"/api/own-id")
    assert reply.all(b"x-request-id") == [b"mine"]
    assert reply.body == b"ab"


def test_an_error_of_the_api_is_the_apis(house: BuildHouse) -> None:
    home = house(GatewayOptions(), make_api())
    reply = home.server.get(b"/api/fails")
    assert (reply.status, reply.body) == (500, b"Internal Server Error")
    assert reply.header(b"x-request-id")


def test_a_failure_says_that_it_ends_the_connection(house: BuildHouse) -> None:
    home = house(GatewayOptions(), make_api())
    with home.server.connect() as client:
        client.sendall(b"GET /api/fails HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = parse_reply(read_all(client))
    assert (reply.status, reply.complete) == (500, True)
    assert reply.all(b"connection") == [b"close"]


def test_a_websocket_of_the_api(house: BuildHouse) -> None:
    home = house(GatewayOptions(allowed_origins=()), make_api())
    url = f"ws://127.0.0.1:{home.server.port}/api/echo"
    headers = {"X-Request-ID": "abc", "Origin": "http://other.example"}
    with connect(url, proxy=None, additional_headers=headers) as client:
        client.send("hello")
        assert client.recv(timeout=10) == "abc hello"
        client.recv_bufsize = 1
    assert (client.close_code, client.close_reason) == (4001, "done")


@pytest.mark.parametrize("path", [b"/docs", b"/redoc/", b"/openapi.json"])
@pytest.mark.parametrize("mount", [b"", b"/m"])
def test_the_docs_redirect_to_the_api(house: BuildHouse, path: bytes, mount: bytes) -> None:
    documented = frozenset({"/docs", "/redoc", "/openapi.json"})
    home = house(GatewayOptions(mount=mount.decode(), docs_paths=documented))
    reply = home.server.get(mount + path + b"?q=1")
    assert reply.status == 307
    assert reply.header(b"location") == mount + b"/api" + path.rstrip(b"/") + b"?q=1"
    assert home.upstream.heads == []


def test_a_path_of_nobody_is_not_found(house: BuildHouse) -> None:
    home = house(GatewayOptions(ui_path="/ui"))
    reply = home.server.get(b"/other")
    assert (reply.status, reply.header(b"content-type")) == (404, b"application/json")
    assert home.server.get(b"/ui/x").body == b"ok"


def test_the_private_socket_serves_the_api_only(run_dir: Path, serve: Serve) -> None:
    path = str(run_dir / "api.sock")
    options = GatewayOptions(internal_socket=path)
    gateway = Gateway(make_api(), options, Fixed(NOWHERE))
    serve(gateway, uds=path)
    public = serve(gateway)
    assert _over(path, b"/api/where/x").startswith(b"HTTP/1.1 200")
    assert _over(path, b"/anything").startswith(b"HTTP/1.1 404")
    assert _over(path, b"/docs").startswith(b"HTTP/1.1 404")
    assert public.get(b"/anything").status == 503


def _over(path: str, target: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"GET %b HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n" % target)
        data = b""
        while piece := client.recv(65536):
            data += piece
        return data


def test_the_internal_app_serves_the_api_only() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": []}
    gateway = Gateway(make_api(), GatewayOptions(), Fixed(NOWHERE))
    asyncio.run(gateway.internal(scope, receive, send))
    assert sent[0]["status"] == 404


def test_other_scopes_are_an_error_of_the_server() -> None:
    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    gateway = Gateway(make_api(), GatewayOptions(), Fixed(NOWHERE))

    async def serve() -> None:
        await gateway({"type": "lifespan"}, receive, send)

    with pytest.raises(RuntimeError, match="lifespan"):
        asyncio.run(serve())


def test_a_trusted_proxy_speaks_for_the_visitor(house: BuildHouse) -> None:
    said = [b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: pub.test"]
    home = house(GatewayOptions(trusted_proxies=("127.0.0.1",)), make_api())
    body = home.server.get(b"/api/where/x", *said).body
    assert b'"client":"1.2.3.4"' in body
    assert b'"url":"https://pub.test/api/where/x"' in body
    home.server.get(b"/ui", *said, b"X-Remote-User: ada")
    received = dict(home.upstream.headers())
    assert received[b"host"] == received[b"x-forwarded-host"] == b"pub.test"
    assert received[b"x-forwarded-for"] == b"1.2.3.4"
    assert received[b"x-forwarded-proto"] == b"https"
    assert received[b"x-remote-user"] == b"ada"


class Lines(logging.Handler):
    """Hands log lines over as they come: the line is written after the answer has gone out."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: queue.SimpleQueue[str] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self.queue.put(record.getMessage())


@pytest.fixture
def access_lines() -> Iterator[Lines]:
    lines, logger = Lines(), logging.getLogger("fluxlit.access")
    logger.addHandler(lines)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(level)


def test_the_access_log_redacts_and_escapes(house: BuildHouse, access_lines: Lines) -> None:
    home = house(GatewayOptions(access_log=True))
    home.server.get(b"/a?auth_code=s3cret", b"X-Request-ID: abc")
    line = access_lines.queue.get(timeout=5)
    assert line.startswith("GET /a?auth_code=")
    assert " 200 " in line
    assert "request_id=abc" in line
    assert "s3cret" not in line
    assert access_lines.queue.empty()

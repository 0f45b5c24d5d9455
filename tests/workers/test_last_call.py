"""Whose request may be on its way when a server ends is heard; who was answered is let go."""

from __future__ import annotations

import socket
from typing import Any

from tests.support.servers import receive_all, receive_until, serving, until

from fluxlit.workers.server import Closing

REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


async def app(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_who_has_just_connected_is_answered_though_the_server_ends() -> None:
    with serving(app) as (running, port):
        address = ("127.0.0.1", port)
        with socket.create_connection(address) as new, socket.create_connection(address) as begun:
            begun.sendall(REQUEST[:10])
            until(lambda: running.connections == 2, "both are there")
            running.server.drain()
            until(lambda: running.server.server_state.is_last_call, "the server ends")
            new.sendall(REQUEST)
            begun.sendall(REQUEST[10:])
            for client in (new, begun):
                answer = receive_all(client)
                assert answer.startswith(b"HTTP/1.1 204")
                assert b"connection: close" in answer


def test_who_was_answered_is_let_go_at_once() -> None:
    with serving(app) as (running, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(REQUEST)
        assert receive_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 204")
        (connection,) = running.server.server_state.connections
        assert isinstance(connection, Closing)
        assert not connection.is_new()
        running.server.drain()
        assert client.recv(100) == b""

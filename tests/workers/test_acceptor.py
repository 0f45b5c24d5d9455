from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from fluxlit.workers.acceptor import Acceptor
from fluxlit.workers.sockets import bind_tcp

pytestmark = pytest.mark.integration


class Greeter(asyncio.Protocol):
    """Says which of two workers it belongs to."""

    def __init__(self, name: bytes) -> None:
        self._name = name

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.write(self._name)
        transport.close()


def run(scenario: Callable[[socket.socket, tuple[str, int]], Awaitable[None]]) -> None:
    async def main() -> None:
        with bind_tcp("127.0.0.1", 0) as listener:
            async with asyncio.timeout(20):
                await scenario(listener, listener.getsockname())

    asyncio.run(main())


async def greeting(address: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        return await reader.read()
    finally:
        writer.close()


def test_two_who_share_a_socket_share_a_burst() -> None:
    async def scenario(listener: socket.socket, address: tuple[str, int]) -> None:
        shared = listener.dup()
        shared.setblocking(False)
        with shared:
            acceptors = [
                Acceptor(listener, lambda: Greeter(b"one")),
                Acceptor(shared, lambda: Greeter(b"two")),
            ]
            said = await asyncio.gather(*(greeting(address) for _ in range(40)))
            assert min(said.count(b"one"), said.count(b"two")) >= 10
            assert said.count(b"one") + said.count(b"two") == 40
            for acceptor in acceptors:
                acceptor.close()
                await acceptor.wait_closed()

    run(scenario)


def test_a_closed_one_leaves_what_waits_to_its_successor() -> None:
    async def scenario(listener: socket.socket, address: tuple[str, int]) -> None:
        first = Acceptor(listener, lambda: Greeter(b"one"))
        assert await greeting(address) == b"one"
        first.close()
        await first.wait_closed()
        waiting = asyncio.ensure_future(greeting(address))
        await asyncio.sleep(0)
        second = Acceptor(listener, lambda: Greeter(b"two"))
        assert await waiting == b"two"
        second.close()

    run(scenario)


def test_a_client_that_has_left_harms_nobody() -> None:
    async def scenario(listener: socket.socket, address: tuple[str, int]) -> None:
        with socket.create_connection(address) as gone:
            linger_not = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # close with a reset
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        acceptor = Acceptor(listener, lambda: Greeter(b"one"))
        assert await greeting(address) == b"one"
        acceptor.close()

    run(scenario)


def test_without_room_for_another_descriptor_it_tries_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full:
        """A listener that has no room the first time."""

        def __init__(self, sock: socket.socket) -> None:
            self._sock = sock
            self.refusals = 1

        def fileno(self) -> int:
            return self._sock.fileno()

        def accept(self) -> tuple[socket.socket, object]:
            if self.refusals:
                self.refusals -= 1
                raise OSError(24, "Too many open files")
            return self._sock.accept()

    async def scenario(listener: socket.socket, address: tuple[str, int]) -> None:
        full: object = Full(listener)
        acceptor = Acceptor(full, lambda: Greeter(b"one"))  # type: ignore[arg-type]
        assert await greeting(address) == b"one"
        acceptor.close()

    run(scenario)
    assert caplog.text.count("cannot accept connections") == 1


def test_who_has_connected_before_it_closes_is_served_and_closing_twice_harms_nobody() -> None:
    async def scenario(listener: socket.socket, address: tuple[str, int]) -> None:
        acceptor = Acceptor(listener, lambda: Greeter(b"one"))
        waiting = []
        for _ in range(20):  # the kernel lets them in; no turn of the loop comes between
            client = socket.create_connection(address)
            client.setblocking(False)
            waiting.append(client)
        acceptor.close()
        await acceptor.wait_closed()
        listener.close()
        acceptor.close()
        for client in waiting:
            assert await asyncio.get_running_loop().sock_recv(client, 100) == b"one"
            client.close()

    run(scenario)

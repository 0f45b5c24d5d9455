from __future__ import annotations

import asyncio
import os
import socket
import threading

import pytest

from fluxlit.workers.channel import MAX_MESSAGE, Channel, ChannelClosedError, JsonObject


def pair() -> tuple[Channel, Channel]:
    """The parent's end and the child's."""
    ours, theirs = Channel.pair()
    return ours, Channel.from_descriptor(theirs.detach())


def receive(channel: Channel) -> JsonObject | None:
    async def main() -> JsonObject | None:
        return await asyncio.wait_for(channel.receive(), 5)

    return asyncio.run(main())


def test_a_message_arrives_as_it_was_sent() -> None:
    ours, theirs = pair()
    message: JsonObject = {
        "event": "spec",
        "text": "ä\n🐻",
        "list": [1, None, True],
        "deep": {"a": 1.5},
    }
    ours.send(message)
    assert theirs.receive_blocking() == (message, [])
    theirs.send(message)
    assert receive(ours) == message
    ours.close()
    theirs.close()


def test_messages_that_arrive_in_one_read_come_out_one_by_one() -> None:
    ours, theirs = pair()
    for number in range(3):
        theirs.send({"n": number})
    assert [receive(ours) for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("blocking", [False, True])
def test_a_message_split_over_reads_is_put_together(blocking: bool) -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    right.setblocking(blocking)

    def write_slowly() -> None:
        for part in (b'{"ev', b'ent": "re', b'ady"}', b"\n"):
            left.sendall(part)
            wait_until_read(right)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    got = channel.receive_blocking() if blocking else receive(channel)
    writer.join(5)
    assert got == (({"event": "ready"}, []) if blocking else {"event": "ready"})
    left.close()
    channel.close()


def wait_until_read(sock: socket.socket) -> None:
    """Wait until the other side has taken what was written, so that no two writes join."""
    for _ in range(100_000):
        try:
            if not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                return
        except BlockingIOError:
            return
    raise AssertionError("nobody reads")


def test_a_listening_socket_crosses_and_stays_out_of_grandchildren() -> None:
    ours, theirs = pair()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        ours.send({"event": "serve"}, [listener])
    received = theirs.receive_blocking()
    assert received is not None
    _, (passed,) = received
    assert passed.getsockname() == address
    assert not passed.get_inheritable()
    with socket.create_connection(address, timeout=5):
        passed.accept()[0].close()
    passed.close()
    ours.close()
    theirs.close()


def test_the_childs_end_stays_out_of_grandchildren() -> None:
    ours, theirs = Channel.pair()
    os.set_inheritable(theirs.fileno(), True)
    descriptor = theirs.detach()
    child = Channel.from_descriptor(descriptor)
    assert not os.get_inheritable(descriptor)
    ours.close()
    child.close()


@pytest.mark.parametrize("garbage", [b"", b'{"event": "rea'])
def test_the_end_of_the_line_is_none_for_either_side(garbage: bytes) -> None:
    for blocking in (True, False):
        left, right = socket.socketpair()
        right.setblocking(blocking)
        channel = Channel(right)
        left.sendall(garbage)
        left.close()
        assert (channel.receive_blocking() if blocking else receive(channel)) is None
        channel.close()


def test_a_side_that_writes_without_end_is_cut_off() -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    writer = threading.Thread(target=lambda: left.sendall(b"x" * (MAX_MESSAGE + 1)))
    writer.start()
    assert channel.receive_blocking() is None
    writer.join(5)
    left.close()
    channel.close()


def test_sending_to_a_side_that_is_gone_says_so() -> None:
    ours, theirs = pair()
    theirs.close()
    with pytest.raises(ChannelClosedError):
        ours.send({"event": "serve"})
    ours.close()


def test_what_is_no_object_is_an_empty_message() -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    left.sendall(b"[1, 2]\n")
    assert channel.receive_blocking() == ({}, [])
    left.close()
    channel.close()

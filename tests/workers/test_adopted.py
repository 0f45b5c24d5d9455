from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fluxlit._headers import HANDED_OVER
from fluxlit._types import Message, Receive, Scope, Send
from fluxlit.workers.adopted import Adopted

KEPT = (b"host", b"example.org")


class Inner:
    """An app that accepts, and notes what it was shown."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = scope["headers"]
        await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept", "headers": [(b"x-own", b"1")]})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})


def served(kind: str, *headers: tuple[bytes, bytes]) -> tuple[Inner, Message, list[float]]:
    inner = Inner()
    seen: list[float] = []
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope: dict[str, Any] = {"type": kind, "headers": [KEPT, *headers]}
    asyncio.run(Adopted(inner, seen.append)(scope, receive, send))
    return inner, sent[0], seen


@pytest.mark.parametrize("cookie", [b"", b"a=1; Path=/"])
def test_a_handed_over_socket_sets_the_cookie_and_hides_the_mark(cookie: bytes) -> None:
    inner, accepted, seconds = served("websocket", (HANDED_OVER, cookie))
    assert inner.headers == [KEPT]
    expected = [(b"x-own", b"1"), *([(b"set-cookie", cookie)] if cookie else [])]
    assert accepted["headers"] == expected
    assert len(seconds) == 1


def test_a_relayed_socket_and_a_request_pass_as_they_are() -> None:
    for kind in ("websocket", "http"):
        inner, answer, seconds = served(kind)
        assert inner.headers == [KEPT]
        assert b"set-cookie" not in dict(answer["headers"])
        assert seconds == []

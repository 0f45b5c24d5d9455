"""What waits for a browser that does not read is bounded in bytes, and not in messages alone.

Streamlit keeps up to 500 messages for a browser that is slower than its page. Each may have 200 MB,
so one tab that reads nothing and asks for run after run could fill the memory of all.
"""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocket
from streamlit.runtime.runtime_util import get_max_message_size_bytes
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_websocket import StarletteSessionClient


class Backlog(asyncio.Queue[bytes]):
    """Messages that wait for one browser.

    Args:
        messages: How many may wait.
        size: How many bytes may wait together; one message may have more.
    """

    def __init__(self, messages: int, size: int) -> None:
        super().__init__(messages)
        self._most = size
        self._size = 0

    def put_nowait(self, item: bytes) -> None:
        """Add a message.

        Raises:
            QueueFull: There is no room for it. Nothing waits any more then: what is missing in
                between cannot be made up for, so the browser has to come again.
        """
        if self._size and self._size + len(item) > self._most:
            while not self.empty():
                self.get_nowait()
            raise asyncio.QueueFull
        super().put_nowait(item)

    def _put(self, item: bytes) -> None:
        self._size += len(item)
        super()._put(item)

    def _get(self) -> bytes:
        item = super()._get()
        self._size -= len(item)
        return item


class BoundedClient(StarletteSessionClient):
    """Streamlit's end of a page's WebSocket, with a bounded backlog.

    One that overflows counts as disconnected for Streamlit, as one of too many messages does.
    """

    def __init__(self, websocket: WebSocket) -> None:
        super().__init__(websocket)
        # Its sender has not begun: no turn of the loop has passed.
        self._send_queue = Backlog(self._send_queue.maxsize, get_max_message_size_bytes())


def bound_backlogs() -> None:
    """Let Streamlit bound what waits for a browser: together it may be as much as one message."""
    vars(starlette_websocket)["StarletteSessionClient"] = BoundedClient

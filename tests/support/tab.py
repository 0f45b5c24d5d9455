"""A browser's tab as the server sees it: a page's WebSocket, and Streamlit's messages on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection


@dataclass
class Run:
    """What the messages of one run said."""

    session: str = ""
    texts: list[str] = field(default_factory=list)


class Tab:
    """One connection of a tab.

    Args:
        port: The service's.
        session: What the tab says its session was, if it had one.
        wait: Seconds to wait for the handshake's answer.
    """

    def __init__(self, port: int, session: str = "", *, wait: float = 30) -> None:
        offered = ["streamlit", "token", *filter(None, [session])]
        self._connecting = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=[Subprotocol(name) for name in offered],
            proxy=None,
            max_size=None,
            compression=None,
            open_timeout=wait,
        )

    def __enter__(self) -> Self:
        self.socket: ClientConnection = self._connecting.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._connecting.__exit__(None, None, None)

    def ask(self, **state: Any) -> None:
        """Ask for a run, with these fields of a browser's state."""
        message = BackMsg()
        message.rerun_script.SetInParent()
        for name, value in state.items():
            setattr(message.rerun_script, name, value)
        self.socket.send(message.SerializeToString())

    def hear(self, seconds: float = 30) -> Any:
        """Return the next message.

        Raises:
            TimeoutError: There was none in time.
        """
        data = self.socket.recv(timeout=seconds)
        return ForwardMsg.FromString(bytes(data))  # type: ignore[arg-type]

    def run(self, **state: Any) -> Run:
        """Ask for a run and hear it to its end."""
        self.ask(**state)
        return self.finished()

    def finished(self) -> Run:
        """Hear a run to its end."""
        run = Run()
        for message in self._until_finished():
            kind = message.WhichOneof("type")
            if kind == "new_session":
                run.session = message.new_session.initialize.session_id
            elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "text":
                run.texts.append(message.delta.new_element.text.body)
        return run

    def _until_finished(self) -> Iterator[Any]:
        while (message := self.hear()).WhichOneof("type") != "script_finished":
            yield message

"""Open tabs whose session this process does not have run their page again by themselves.

A browser that lost its connection comes back with the id of its session, the third entry of
``Sec-WebSocket-Protocol``. A Runtime that has the session resumes it; any other makes a new one,
and Streamlit's frontend then waits for a click: it asks for a run by itself only if one was
interrupted (``handleConnectionStateChanged`` in its ``App.tsx``). Until then the tab shows what a
worker said that is gone.

So the frontend is told to rerun a fragment on a timer (``ForwardMsg.auto_rerun``), which makes it
send all that it holds: the values of its widgets, page and query string. What arrives for that
fragment is run as the whole page. The first full run ends the timer (``handleNewSession``).
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.session_manager import SessionClient, SessionClientDisconnectedError

FRAGMENT: Final = "fluxlit-recovery"
"""No fragment's id: those are hexadecimal digests."""

ASKS_AFTER: Final = 0.03
"""Seconds until the browser sends what it holds, and again until the run has begun."""


class RecoveringRuntime(Runtime):
    """Streamlit's Runtime, which asks returning tabs of lost sessions for what they hold.

    Args:
        config: The same as Streamlit's.
    """

    def __init__(self, config: RuntimeConfig) -> None:
        super().__init__(config)
        self._returned: set[str] = set()

    def connect_session(
        self,
        client: SessionClient,
        user_info: dict[str, Any],
        existing_session_id: str | None = None,
        session_id_override: str | None = None,
    ) -> str:
        """Connect a browser; if the session that it names is lost, ask for what it holds."""
        session_id = super().connect_session(
            client, user_info, existing_session_id, session_id_override
        )
        if existing_session_id and session_id != existing_session_id:
            self._returned.add(session_id)
            # One that has left again must still be disconnected as ever, by its handler.
            with contextlib.suppress(SessionClientDisconnectedError):
                client.write_forward_msg(_ask())
        return session_id

    def handle_backmsg(self, session_id: str, msg: BackMsg, **which: Any) -> None:
        """Take a browser's message: a returned tab's first run is a whole one, and the only one."""
        if msg.WhichOneof("type") == "rerun_script":
            run = msg.rerun_script
            if session_id in self._returned:
                # Also when the frontend asks by itself, or the user was quicker: the fragments
                # of the lost session are not known here.
                self._returned.discard(session_id)
                run.ClearField("fragment_id")
                run.ClearField("is_auto_rerun")
            elif run.fragment_id == FRAGMENT:  # the timer was quicker than the run's beginning
                return
        super().handle_backmsg(session_id, msg, **which)

    def disconnect_session(self, session_id: str, **which: Any) -> None:
        """Disconnect a browser."""
        self._returned.discard(session_id)
        super().disconnect_session(session_id, **which)


def _ask() -> ForwardMsg:
    message = ForwardMsg()
    message.auto_rerun.interval = ASKS_AFTER
    message.auto_rerun.fragment_id = FRAGMENT
    return message

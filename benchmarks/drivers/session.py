"""One browser tab, as far as the server can tell: Streamlit's protocol over a real WebSocket.

The messages are those of ``streamlit/proto``: a ``BackMsg`` asks for a rerun with the widgets'
values, ``ForwardMsg``s answer until ``script_finished``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import DoubleArray, FileURLs, UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.drivers.load import Address, WrongAnswerError

XSRF_COOKIE = "_streamlit_xsrf"
# Anything longer cannot be the end of a run; it is parsed after the clock has stopped.
_BULKY = 64 * 1024
_RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One finished script run.

    Attributes:
        seconds: From sending the request to receiving the end of the run.
        size: Bytes received.
        messages: Everything received, in order.
    """

    seconds: float
    size: int
    messages: tuple[ForwardMsg, ...]

    def elements(self) -> Iterator[Element]:
        """Yield the elements that the run drew."""
        for message in self.messages:
            # An unset delta reads as an empty one, so this also passes over other messages.
            if message.delta.WhichOneof("type") == "new_element":
                yield message.delta.new_element

    def texts(self) -> list[str]:
        """Return what ``st.text`` showed."""
        return [each.text.body for each in self.elements() if each.HasField("text")]


class Tab:
    """A connected session.

    Args:
        socket: The open WebSocket.
        xsrf: The token that the server gave; empty if it does not protect against forgery.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, xsrf: str) -> None:
        self._socket = socket
        self.xsrf = xsrf
        self.session_id = ""
        self._page_hash = ""
        self._widgets: dict[str, str] = {}
        self._states: dict[str, WidgetState] = {}

    async def rerun(self) -> Run:
        """Ask for a run with the widgets as they are and wait for its end.

        Raises:
            WrongAnswerError: The run failed, or the connection was closed.
        """
        request = BackMsg()
        request.rerun_script.page_script_hash = self._page_hash
        request.rerun_script.widget_states.widgets.extend(self._states.values())
        payload = request.SerializeToString()
        started = time.perf_counter()
        await self._socket.send_bytes(payload)
        received = await self._receive_until("script_finished")
        seconds = time.perf_counter() - started
        size = sum(map(len, received))
        run = Run(seconds, size, tuple(map(ForwardMsg.FromString, received)))
        self._remember(run)
        return run

    async def slide(self, value: int) -> Run:
        """Move the page's slider and check that the page shows the new value.

        Raises:
            WrongAnswerError: The page shows something else.
        """
        widget = self.widget("slider")
        self._states[widget] = WidgetState(id=widget, double_array_value=DoubleArray(data=[value]))
        run = await self.rerun()
        if f"value={value}" not in run.texts():
            msg = f"the page shows {run.texts()} after its slider was set to {value}"
            raise WrongAnswerError(msg)
        return run

    async def file_urls(self, name: str) -> FileURLs:
        """Ask where a file may be uploaded."""
        request = BackMsg()
        request.file_urls_request.request_id = str(uuid4())
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self.session_id
        await self._socket.send_bytes(request.SerializeToString())
        received = await self._receive_until("file_urls_response")
        urls: FileURLs = ForwardMsg.FromString(received[-1]).file_urls_response.file_urls[0]
        return urls

    async def attach(self, name: str, size: int, urls: FileURLs) -> Run:
        """Tell the page that its uploader now has the uploaded file."""
        widget = self.widget("file_uploader")
        info = UploadedFileInfo(name=name, size=size, file_id=urls.file_id, file_urls=urls)
        state = WidgetState(id=widget)
        state.file_uploader_state_value.uploaded_file_info.append(info)
        self._states[widget] = state
        return await self.rerun()

    def widget(self, kind: str) -> str:
        """Return the id of the page's widget of a kind.

        Raises:
            WrongAnswerError: The page has none.
        """
        if kind not in self._widgets:
            msg = f"the page has no {kind}"
            raise WrongAnswerError(msg)
        return self._widgets[kind]

    async def _receive_until(self, kind: str) -> list[bytes]:
        """Collect messages up to the first of a kind, long ones unparsed."""
        received: list[bytes] = []
        while True:
            message = await self._socket.receive(_RUN_SECONDS)
            if message.type is not aiohttp.WSMsgType.BINARY:
                msg = f"connection ended: {self._socket.close_code} {message.extra or ''}".strip()
                raise WrongAnswerError(msg)
            received.append(message.data)
            if _kind(message.data) == kind:
                return received

    def _remember(self, run: Run) -> None:
        """Keep what a browser keeps of a run, and refuse one that went wrong."""
        for message in run.messages:
            match message.WhichOneof("type"):
                case "new_session":
                    self.session_id = message.new_session.initialize.session_id
                    self._page_hash = message.new_session.page_script_hash
                case "navigation":
                    self._page_hash = message.navigation.page_script_hash
                case "script_finished" if message.script_finished:
                    msg = f"the run ended with status {message.script_finished}"
                    raise WrongAnswerError(msg)
        for element in run.elements():
            kind = element.WhichOneof("type")
            if kind == "exception":
                msg = f"the page raised {element.exception.message}"
                raise WrongAnswerError(msg)
            if kind in {"slider", "file_uploader"}:
                self._widgets[kind] = getattr(element, kind).id


def _kind(data: bytes) -> str | None:
    """Return a message's kind, or None for one that is too long to look into now."""
    return ForwardMsg.FromString(data).WhichOneof("type") if len(data) < _BULKY else None


@asynccontextmanager
async def open_tab(address: Address) -> AsyncIterator[Tab]:
    """Load the page as a browser does and let its script run once.

    The page's load brings the cookie that keeps a visitor at a worker, where there are several,
    and the health request the XSRF cookie; the WebSocket offers compression and names its origin.
    """
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(f"{address.origin}/", headers={"Accept": "text/html"}) as page:
            page.raise_for_status()
        async with http.get(f"{address.origin}/_stcore/health") as answer:
            answer.raise_for_status()
            cookie = answer.cookies.get(XSRF_COOKIE)
        xsrf = cookie.value if cookie else ""
        async with http.ws_connect(
            f"{address.origin}/_stcore/stream",
            protocols=("streamlit", xsrf) if xsrf else ("streamlit",),
            origin=address.origin,
            compress=15,
            max_msg_size=0,
        ) as socket:
            tab = Tab(socket, xsrf)
            await tab.rerun()
            yield tab

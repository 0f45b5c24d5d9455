"""Tabs of browsers, as a server sees them: spoken with Streamlit's own messages."""

from __future__ import annotations

import http.client
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Protocol

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol


class Listening(Protocol):
    """What answers on a port of this machine."""

    port: int


@dataclass
class Tab:
    """A tab as the server sees it: a session, and cookies where the visitor takes any."""

    socket: ClientConnection
    cookies: dict[str, str]
    agent: str
    session: str
    texts: list[str]

    @property
    def pid(self) -> int:
        return int(self.texts[0].removeprefix("pid "))


def headers_of(agent: str, cookies: dict[str, str]) -> dict[str, str]:
    joined = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"User-Agent": agent, "Cookie": joined}


def taken(values: list[str]) -> dict[str, str]:
    pairs = (value.partition(";")[0].partition("=") for value in values)
    return {name: value for name, _, value in pairs}


def load(service: Listening, path: str, agent: str, cookies: dict[str, str]) -> dict[str, str]:
    """Open an address as a browser does; return the cookies that it sets."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    headers = {**headers_of(agent, cookies), "Accept": "text/html"}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    connection.close()
    return taken(response.headers.get_all("set-cookie") or [])


class Browser:
    """Opens tabs, each as a visitor of its own, and closes what is still open at the end."""

    def __init__(self, service: Listening, tabs: ExitStack) -> None:
        self._service = service
        self._tabs = tabs

    def open(self, agent: str = "Agent", *, takes_cookies: bool = True, page: str = "") -> Tab:
        """Load a page, the root unless named, connect, and let its script run once."""
        socket, cookies = self.begin(agent, takes_cookies=takes_cookies, page=page)
        return Tab(socket, cookies, agent, *_first_run(socket))

    def begin(
        self, agent: str = "Agent", *, takes_cookies: bool = True, page: str = ""
    ) -> tuple[ClientConnection, dict[str, str]]:
        """Load the page, connect, and ask for its script to run; return the socket and cookies."""
        service = self._service
        cookies = load(service, "/", agent, {}) if takes_cookies else {}
        cookies |= load(service, "/_stcore/health", agent, cookies)  # brings the XSRF token
        socket = self.connect(agent, cookies)
        assert socket.response is not None
        if takes_cookies:
            cookies |= taken(socket.response.headers.get_all("set-cookie"))
        request = BackMsg()
        request.rerun_script.SetInParent()
        request.rerun_script.page_name = page
        socket.send(request.SerializeToString())
        return socket, cookies

    def connect(self, agent: str, cookies: dict[str, str]) -> ClientConnection:
        """Open a page's WebSocket."""
        token = cookies["_streamlit_xsrf"]
        connecting = connect(
            f"ws://127.0.0.1:{self._service.port}/_stcore/stream",
            additional_headers=headers_of(agent, cookies),
            subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
            user_agent_header=None,
            proxy=None,
            max_size=None,
        )
        return self._tabs.enter_context(connecting)


def _first_run(socket: ClientConnection) -> tuple[str, list[str]]:
    session, texts = "", []
    while True:
        message: Any = ForwardMsg.FromString(bytes(socket.recv(timeout=30)))  # type: ignore[arg-type]
        kind = message.WhichOneof("type")
        if kind == "new_session":
            session = message.new_session.initialize.session_id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "text":
            texts.append(message.delta.new_element.text.body)
        elif kind == "script_finished":
            return session, texts


HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"


class Upload:
    """A file that is being uploaded for a tab; only the worker of its session knows the address."""

    def __init__(self, service: Listening, tab: Tab, size: int) -> None:
        headers = {
            **headers_of(tab.agent, tab.cookies),
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Length": str(len(HEAD) + size + len(TAIL)),
            "X-Xsrftoken": tab.cookies["_streamlit_xsrf"],
        }
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        self._connection.putrequest("PUT", f"/_stcore/upload_file/{tab.session}/some-file")
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(HEAD)

    def send(self, content: bytes) -> None:
        """Send a part of the file."""
        self._connection.send(content)

    def finish(self) -> int:
        """Tell that this was all; return the status of the answer."""
        with closing(self._connection):
            self._connection.send(TAIL)
            return self._connection.getresponse().status


def upload(service: Listening, tab: Tab) -> int:
    """Upload a small file; return the status of the answer."""
    uploading = Upload(service, tab, 5)
    uploading.send(b"hello")
    return uploading.finish()

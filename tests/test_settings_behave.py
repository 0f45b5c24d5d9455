"""Every setting that is documented as working is set by its variable and seen to change something.

A setting without an entry here fails the first test; one that docs/configuration.md calls accepted
for older versions has none.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import http.client
import json
import logging
import os
import re
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any, Self, cast

import psutil
import pytest
from fastapi import Depends as RouteDepends
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.testclient import WebSocketDenialResponse
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from tests.auth.tokens import AUDIENCE, ISSUER, SECRET, by_rsa, signed
from tests.gateway.harness import FakeUpstream, Fixed
from tests.pages.fakes import FakeStreamlit
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from fluxlit import Depends, FluxLit, FluxlitSettings
from fluxlit._types import Receive, Scope, Send
from fluxlit.auth import OIDCProvider
from fluxlit.config.deployment import observe as look_around
from fluxlit.config.rules import refuse_doubtful
from fluxlit.exceptions import ConfigurationError, PageError
from fluxlit.fleet import Fleet
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.remote import RemoteUpstreams
from fluxlit.gateway.upstream import Member, Upstream
from fluxlit.pages.runner import run_site
from fluxlit.workers.care import Limits
from fluxlit.workers.collector import Policy, Reason

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(\w+)` \| `FLUXLIT_\w+` \| `.*?` \| (.*) \|$", re.MULTILINE)
VARIABLES = re.compile(r"^\| ((?:`FLUXLIT_\w+`(?:, )?)+) \|", re.MULTILINE)


class Keeping(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


class OneWorker(Fleet):
    """A fleet of one worker that is not ours."""

    def __init__(self, path: Path) -> None:
        super().__init__(secret="s")
        self._only = Fixed(Upstream("ui-0", socket_path=str(path)))

    def members(self) -> Sequence[Member]:
        return self._only.members()


class Lab:
    """A place to watch an app that is made from the environment of this moment."""

    def __init__(self, upstream: FakeUpstream, records: list[logging.LogRecord]) -> None:
        self.upstream = upstream
        self.records = records

    @contextlib.contextmanager
    def client(self) -> Iterator[TestClient]:
        app = FluxLit()

        @app.api.get("/users")
        def users() -> list[str]:
            return ["Ada"]

        unified = app.asgi(OneWorker(self.upstream.path))

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await unified(scope, receive, send)  # the client tells ASGI versions by coroutines

        with TestClient(served, client=("127.0.0.1", 50000), follow_redirects=False) as client:
            yield client

    def get(self, path: str, **headers: str) -> Any:
        """Ask the service; headers are spelt with underscores."""
        spelt = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.client() as client:
            return client.get(path, headers=spelt)

    def who(self, path: str) -> str:
        """Tell who answers a path."""
        answer = self.get(path)
        return "ui" if answer.content == b"ok" else f"api {answer.status_code}"


Look = Callable[[Lab], object]


@dataclass
class Seen:
    """What is seen without the variable, and with it.

    Attributes:
        value: The variable's value.
        look: What is looked at.
        before: What is seen without the variable.
        after: What is seen with it.
        given: Other settings that hold in both cases.
    """

    value: str
    look: Look
    before: object
    after: object
    given: dict[str, str] = field(default_factory=dict)


@dataclass
class Wired:
    """A value of the gateway's own, whose effect a test of the gateway shows at its edge.

    Attributes:
        value: The variable's value.
        option: The gateway's option.
        expected: What that then is.
        test: File under tests/ and function.
    """

    value: str
    option: str
    expected: object
    test: str


@dataclass
class Live:
    """Something that only a running service shows; :func:`watch` looks at all of it at once.

    Attributes:
        value: The variable's value.
        before: What is seen without the variable.
        after: What is seen with it.
    """

    value: str
    before: object
    after: object


def header(name: str, path: str = "/api/users", **asked: str) -> Look:
    return lambda lab: lab.get(path, **asked).headers.get(name)


def preflight(name: str) -> Look:
    def look(lab: Lab) -> object:
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        with lab.client() as client:
            return client.options("/api/users", headers=asked).headers.get(name)

    return look


def reflected(key: str, **asked: str) -> Look:
    return lambda lab: lab.get("/api/healthz/request", **asked).json()[key]


def upload(size: int) -> Look:
    def look(lab: Lab) -> object:
        with lab.client() as client:
            return int(client.put("/_stcore/upload_file/x", content=b"x" * size).status_code)

    return look


def socket_from(origin: str) -> Look:
    def look(lab: Lab) -> object:
        with lab.client() as client:
            try:
                with client.websocket_connect("/_stcore/stream", headers={"Origin": origin}):
                    return "open"
            except WebSocketDenialResponse as refused:
                return "refused" if refused.status_code == 403 else "passed on"

    return look


def in_head(text: str) -> Look:
    return lambda lab: text in lab.get("/").text


def passed_on(name: str) -> Look:
    def look(lab: Lab) -> object:
        lab.get("/", **{name.replace("-", "_"): "ada"})
        return name.encode() in dict(lab.upstream.headers())

    return look


def access_lines(lab: Lab) -> object:
    lab.get("/api/users")
    return len([record for record in lab.records if record.name == "fluxlit.access"])


def api_lines(lab: Lab) -> object:
    for path in ("/api/users", "/media/x", "/docs"):
        lab.get(path)
    return [record.getMessage()[:18] for record in lab.records if record.name == "fluxlit.api"]


def starts(_: Lab) -> object:
    try:
        refuse_doubtful(look_around(FluxLit().settings))
    except ConfigurationError as exc:
        return str(exc).partition(":")[0]
    return "starts"


def page_config(_: Lab) -> object:
    said: dict[str, object] = {}
    fake = SimpleNamespace(
        set_page_config=lambda **config: said.update(config),
        title=lambda _: None,
        info=lambda _: None,
        context=SimpleNamespace(headers={}),
    )
    run_site(cast("ModuleType", fake), FluxLit().site(), FakeStreamlit().menu)
    return said.get("layout")


def registers(page: Callable[..., object]) -> Look:
    def look(_: Lab) -> object:
        try:
            FluxLit().page("/")(page)
        except (PageError, TypeError):
            return "refused"
        return "registered"

    return look


def loose(unknown: int = 0) -> None: ...


def yielding() -> Iterator[None]:
    yield


def collected(*, waiting: bool = False, quiet: float = 0.0, grown: int = 0) -> Look:
    return lambda _: Policy.from_settings(FluxlitSettings()).due(
        waiting=waiting, quiet=quiet, grown=grown
    )


def limits(name: str) -> Look:
    """What tests/workers/test_care.py and tests/chaos see workers replaced by."""
    return lambda _: getattr(Limits.of_ui(FluxlitSettings()), name)


def bearer(make_token: Callable[[], str]) -> Look:
    """What a route behind ``make_jwt_bearer`` answers to a token."""

    def look(_: Lab) -> object:
        app = FluxLit()
        try:
            check = app.make_jwt_bearer()
        except ValueError:
            return "no bearer"
        app.api.get("/me", dependencies=[RouteDepends(check)])(lambda: None)
        asked = {"Authorization": f"Bearer {make_token()}"}
        return TestClient(app.api).get("/me", headers=asked).status_code

    return look


def just_over() -> str:
    return signed(exp=int(time.time()) - 30)


def login(_: Lab) -> object:
    provider = SimpleNamespace(authorization_url=lambda **_: "https://id.example/")
    app = FluxLit()
    try:
        app.attach_oidc_login(cast("OIDCProvider", provider), public_base_url="https://a.example")
    except ValueError:
        return "no login"
    return TestClient(app.api, follow_redirects=False).get("/auth/login").headers["location"]


def app_base(_: Lab) -> object:
    scope = {"type": "http", "scheme": "http", "server": ("a", 80), "headers": [], "path": "/"}
    return FluxLit().urls.app_base(Request(scope))


def urls(_: Lab) -> object:
    return [it.upstream.url for it in Fleet.of(FluxlitSettings(), "s").members()]


def agree(_: Lab) -> object:
    """Whether gateways of two starts know each other's cookies."""
    starts = [Fleet.of(FluxlitSettings(), made) for made in ("one", "two")]
    return starts[0].secret == starts[1].secret


def asked_again(_: Lab) -> object:
    """Whether a remote UI is asked twice within a moment."""

    async def look() -> bool:
        asked: asyncio.Queue[None] = asyncio.Queue()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.put_nowait(None)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = FluxlitSettings(streamlit_upstream=[url])
        async with server, RemoteUpstreams.of(settings).watched():
            asked.get_nowait()
            try:
                await asyncio.wait_for(asked.get(), 1)
            except TimeoutError:
                return False
            return True

    return asyncio.run(look())


REMOTE = {"FLUXLIT_UI_MODE": "remote"}
UPSTREAM = {"FLUXLIT_STREAMLIT_UPSTREAM": "http://a.example"}
ORIGIN = {"FLUXLIT_CORS_ALLOW_ORIGINS": "https://a.example"}
TRUST = {"FLUXLIT_TRUST_PROXY": "1"}
DOUBTFUL = {"FLUXLIT_ROOT_PATH": "/desk"}
TOKENS = {
    "FLUXLIT_JWT_ISSUER": ISSUER,
    "FLUXLIT_JWT_AUDIENCE": AUDIENCE,
    "FLUXLIT_JWT_HS256_SECRET": SECRET,
}
NOBODY_THERE = "http://127.0.0.1:1/keys"


def without(name: str) -> dict[str, str]:
    return {variable: text for variable, text in TOKENS.items() if not variable.endswith(name)}


METRICS = "/__fluxlit/metrics"
RELAY = "gateway/test_websocket_relay.py"
SILENT = "gateway/test_websocket_timeouts.py"
WAITING = (
    "gateway/test_limits.py::"
    "test_as_many_requests_as_allowed_wait_for_the_ui_and_the_next_one_is_told_to_come_back"
)


class Running(ServerProcess):
    """A service whose address is its own choice."""

    def __init__(self, folder: Path, at: tuple[str, int], *flags: str, **variables: str) -> None:
        self.host, self.port = at
        super().__init__(
            [FLUXLIT, "run", "--no-pidfile", *flags],
            directory=folder,
            log=folder / f"{self.port}.log",
            environment=variables,
        )
        paths = ("/api/readyz", "/_stcore/health")
        self.wait_until_ready([Probe(self.port, path, self.host) for path in paths])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a path."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def told(self, name: str) -> str:
        """Wait for a file that the app writes; return what is in it and remove it."""
        file, deadline = self.directory / name, time.monotonic() + 20
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < deadline, f"{name} was not written"
            time.sleep(0.01)
        text = file.read_text()
        file.unlink()
        return text

    def run_page(self) -> str:
        """Run the app's page as a browser does; return what it wrote."""
        wanted = BackMsg(rerun_script=ClientState()).SerializeToString()
        address = f"ws://{self.host}:{self.port}/_stcore/stream"
        with connect(address, subprotocols=[Subprotocol("streamlit")], proxy=None) as opened:
            opened.send(wanted)
            return self.told("option")

    def owner_of_socket(self) -> str:
        """Tell which kind of worker holds the server's end of a page's WebSocket."""
        address = f"ws://{self.host}:{self.port}/_stcore/stream"
        with connect(address, subprotocols=[Subprotocol("streamlit")], proxy=None) as opened:
            for worker in psutil.Process(self.pid).children(recursive=True):
                ends = [tuple(it.raddr) for it in worker.net_connections("tcp") if it.raddr]
                if opened.local_address in ends:
                    return next(kind for kind in ("ui", "gateway") if kind in worker.cmdline()[-2])
        return "nobody"


def is_open(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=5):
        return True
    return False


def fate(of: socket.socket) -> str:
    """Tell what a server does with a connection on which nothing more comes."""
    try:
        data = of.recv(1000)
    except TimeoutError:
        return "kept"
    return data.split(b" ")[1].decode() if data else "closed"


def idle_connections(service: Running) -> dict[str, object]:
    """Leave connections alone in three states, all for the same two seconds."""
    begun = {
        "gateway_keep_alive_timeout_s": b"GET /api/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "gateway_max_request_head_bytes": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 3000,
        "gateway_request_head_timeout_s": b"GET / HTTP/1.1\r\nHost: a\r\n",
    }

    def leave(name: str) -> str:
        with socket.create_connection((service.host, service.port), timeout=10) as client:
            client.sendall(begun[name])
            if name == "gateway_keep_alive_timeout_s":
                answer = b""
                while b'"ok"' not in answer:
                    answer += client.recv(1000)
            client.settimeout(2)
            return fate(client)

    with ThreadPoolExecutor() as threads:
        return dict(zip(begun, threads.map(leave, begun), strict=True))


def watch(service: Running, port: int, ui_port: int) -> dict[str, object]:
    """Look at everything that only a running service shows, and end it."""
    seen: dict[str, object] = {
        "gateway_host": is_open("127.0.0.2", service.port),
        "gateway_port": is_open(service.host, port),
        "ui_collector": service.run_page(),
        "url_session_query_param": service.told("session"),
        "ui_handoff": service.owner_of_socket(),
        **idle_connections(service),
        "streamlit_run_cli_args": service.get("/_stcore/script-health-check") == (200, b"ok"),
    }
    seen["ui_transport"] = any((service.directory / "run").rglob("ui-*.sock"))
    seen["streamlit_host"] = is_open("127.0.0.3", ui_port)
    seen["streamlit_port"] = seen["streamlit_host"]
    seen["health_detail"] = service.get("/api/healthz/workers")[0]
    counted = {path: b"fluxlit_gateway" in service.get(path)[1] for path in (METRICS, "/counts")}
    seen["enable_gateway_prometheus_metrics"] = any(counted.values())
    seen["gateway_prometheus_metrics_path"] = counted["/counts"]
    children = psutil.Process(service.pid).children()
    seen["gateway_spare"] = sum("_entry.gateway" in child.cmdline()[-2] for child in children) > 1
    seen["ui_workers"] = len(json.loads(service.get("/api/readyz")[1])["workers"])
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(service.get, "/api/slow")
        service.told("begun")
        service.stop(signal.SIGTERM)
        seen["uvicorn_graceful_shutdown_timeout_s"] = slow.result()[0]
    seen["log_level"] = "SIGTERM: stopping" in service.output()
    return seen


SERVED = """
import asyncio
from pathlib import Path
from fluxlit import FluxLit, InMemorySessionStore, ensure_url_session
app = FluxLit()
store = InMemorySessionStore()

@app.page("/")
def home(st) -> None:
    ensure_url_session(st, store)
    Path("session").write_text(",".join(st.query_params))
    Path("option").write_text(str(st.get_option("runner.postScriptGC")))

@app.api.get("/slow")
async def slow() -> None:
    Path("begun").write_text("1")
    await asyncio.sleep(1.5)
"""


@pytest.fixture(scope="module")
def live() -> Iterator[dict[str, tuple[object, object]]]:
    """What is seen of a service without and with the variables of all :class:`Live` entries."""
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as name:
        folder = Path(name)
        (folder / "app.py").write_text(SERVED)
        common = {"FLUXLIT_RUN_DIR": str(folder / "run")}
        port, other, ui_port = free_port(), free_port(), free_port()
        with Running(folder, ("127.0.0.1", other), "--port", str(other), **common) as without:
            before = watch(without, port, ui_port)
        said = {
            f"FLUXLIT_{name.upper()}": entry.value.format(port=port, ui_port=ui_port)
            for name, entry in BEHAVIOUR.items()
            if isinstance(entry, Live)
        }
        with Running(folder, ("127.0.0.2", port), **common, **said) as changed:
            after = watch(changed, port, ui_port)
        yield {name: (before[name], after[name]) for name in before}


BEHAVIOUR: dict[str, Seen | Wired | Live] = {
    "title": Seen(
        "Desk", lambda lab: lab.get("/api/openapi.json").json()["info"]["title"], "FluxLit", "Desk"
    ),
    "debug": Seen("1", access_lines, 0, 1),
    "log_level": Live("error", before=True, after=False),
    "health_detail": Live("1", before=404, after=200),
    "strict_startup": Seen("1", starts, "starts", "strict_startup", DOUBTFUL),
    "gateway_host": Live("127.0.0.2", before=False, after=True),
    "gateway_port": Live("{port}", before=False, after=True),
    "api_mount_path": Seen("/v1", lambda lab: lab.who("/v1/users"), "ui", "api 200"),
    "ui_path": Seen("/ui", lambda lab: lab.who("/users"), "ui", "api 200"),
    "root_path": Seen("/desk", lambda lab: lab.who("/desk/api/users"), "ui", "api 200"),
    "streamlit_public_path": Seen("/old", lambda lab: lab.who("/old/api/users"), "ui", "api 200"),
    "public_base_url": Seen("https://a.example", app_base, "http://a", "https://a.example"),
    "strict_public_base_url": Seen("1", starts, "starts", "strict_public_base_url", DOUBTFUL),
    "trust_proxy": Seen("1", reflected("scheme", x_forwarded_proto="https"), "http", "https"),
    "forwarded_allow_ips": Seen(
        "10.0.0.1", reflected("scheme", x_forwarded_proto="https"), "https", "http", TRUST
    ),
    "gateway_upstream_connect_timeout_s": Wired(
        "0.3",
        "connect_timeout",
        0.3,
        "gateway/test_pool.py::test_a_limit_of_connections_makes_requests_wait_their_turn",
    ),
    "gateway_upstream_read_timeout_s": Wired(
        "0.2",
        "read_timeout",
        0.2,
        "gateway/test_http_relay.py::test_no_answer_in_time_is_a_gateway_timeout",
    ),
    "gateway_httpx_max_connections": Wired(
        "1",
        "max_connections",
        1,
        "gateway/test_pool.py::test_a_limit_of_connections_makes_requests_wait_their_turn",
    ),
    "gateway_httpx_max_keepalive_connections": Wired(
        "3",
        "max_idle_connections",
        3,
        "gateway/test_pool.py::test_no_more_idle_connections_are_kept_than_allowed",
    ),
    "gateway_max_concurrent_upstream_http": Wired("3", "max_waiting", 3, WAITING),
    "gateway_queue_timeout_s": Wired("0.2", "queue_timeout", 0.2, WAITING),
    "gateway_client_timeout_s": Wired(
        "0.2",
        "client_timeout",
        0.2,
        "gateway/test_limits.py::test_an_upload_that_stalls_is_ended",
    ),
    "gateway_keep_alive_timeout_s": Live("1", before="kept", after="closed"),
    "gateway_max_request_head_bytes": Live("2000", before="kept", after="431"),
    "gateway_request_head_timeout_s": Live("0.5", before="kept", after="408"),
    "gateway_forward_client_headers_to_streamlit": Seen(
        "remote-user", passed_on("remote-user"), before=False, after=True
    ),
    "gateway_max_proxy_request_body_bytes": Seen("10", upload(11), 200, 413),
    "gateway_ws_open_timeout_s": Wired(
        "0.3", "ws_open_timeout", 0.3, f"{RELAY}::test_a_handshake_without_an_answer_times_out"
    ),
    "gateway_ws_close_timeout_s": Wired(
        "1",
        "ws_close_timeout",
        1.0,
        f"{SILENT}::test_a_ui_that_does_not_close_is_left_after_a_while",
    ),
    "gateway_ws_ping_interval_s": Wired(
        "1", "ws_ping_interval", 1.0, f"{SILENT}::test_a_ui_that_answers_no_ping_is_given_up"
    ),
    "gateway_ws_ping_timeout_s": Wired(
        "1", "ws_ping_timeout", 1.0, f"{SILENT}::test_a_ui_that_answers_no_ping_is_given_up"
    ),
    "gateway_ws_max_message_bytes": Wired(
        "9", "ws_max_message_bytes", 9, f"{RELAY}::test_a_message_over_the_limit_closes_with_1009"
    ),
    "gateway_spare": Live("0", before=True, after=False),
    "uvicorn_graceful_shutdown_timeout_s": Live("0", before=200, after=500),
    "ui_mode": Seen("remote", urls, [], ["http://a.example"], UPSTREAM),
    "streamlit_upstream": Seen(
        "http://a.example, https://b:1", urls, [], ["http://a.example", "https://b:1"], REMOTE
    ),
    "streamlit_upstream_check_interval_s": Seen(
        "0.05", asked_again, before=False, after=True, given=REMOTE
    ),
    "ui_secret": Seen("x" * 32, agree, before=False, after=True),
    "ui_transport": Live("tcp", before=True, after=False),
    "streamlit_host": Live("127.0.0.3", before=False, after=True),
    "streamlit_port": Live("{ui_port}", before=False, after=True),
    "ui_allowed_origins": Seen(
        "https://b.example", socket_from("https://b.example"), "refused", "passed on"
    ),
    "ui_handoff": Live("0", before="ui", after="gateway"),
    "ui_frontend": Seen("0", lambda lab: lab.get("/").content == b"ok", before=False, after=True),
    "ui_head_html": Seen('<meta name="x">', in_head('<meta name="x">'), before=False, after=True),
    "ui_head_file": Seen("head.html", in_head("of the file"), before=False, after=True),
    "ui_content_security_policy": Seen(
        "default-src 'self'", header("content-security-policy", "/"), None, "default-src 'self'"
    ),
    "ui_workers": Live("2", before=1, after=2),
    "ui_collector": Live("0", before="False", after="True"),
    "ui_collector_idle_s": Seen("3", collected(quiet=2.0), Reason.IDLE, None),
    "ui_collector_growth_bytes": Seen("1000", collected(grown=1000), None, Reason.GROWTH),
    "ui_collector_limit_bytes": Seen(
        "1000", collected(grown=1000, waiting=True), None, Reason.LIMIT
    ),
    "ui_max_rss_mb": Seen("400", limits("resident"), None, 400 << 20),
    "ui_max_age_s": Seen("60", limits("age"), None, 60.0),
    "worker_stuck_timeout_s": Seen("0", limits("silence"), 30.0, None),
    "streamlit_run_cli_args": Live(
        "--server.scriptHealthCheckEnabled=true", before=False, after=True
    ),
    "url_session_query_param": Live("desk", before="fluxlit_sid", after="desk"),
    "strict_page_signatures": Seen("1", registers(loose), "registered", "refused"),
    "experimental_yield_pages": Seen("1", registers(yielding), "refused", "registered"),
    "streamlit_page_config": Seen('{"layout": "wide"}', page_config, None, "wide"),
    "cors_allow_origins": Seen(
        "https://a.example",
        header("access-control-allow-origin", origin="https://a.example"),
        None,
        "https://a.example",
    ),
    "cors_allow_credentials": Seen(
        "1",
        header("access-control-allow-credentials", origin="https://a.example"),
        None,
        "true",
        ORIGIN,
    ),
    "cors_middleware_kwargs": Seen(
        '{"max_age": 5}', preflight("access-control-max-age"), "600", "5", ORIGIN
    ),
    "enable_security_headers": Seen("1", header("x-content-type-options"), None, "nosniff"),
    "enable_gateway_access_log": Seen("1", access_lines, 0, 1),
    "enable_request_logging": Seen("1", api_lines, [], ["GET /api/users 200"]),
    "enable_gateway_prometheus_metrics": Live("1", before=False, after=True),
    "gateway_prometheus_metrics_path": Live("/counts", before=False, after=True),
    "jwt_hs256_secret": Seen(SECRET, bearer(signed), "no bearer", 200, without("HS256_SECRET")),
    "jwt_jwks_url": Seen(NOBODY_THERE, bearer(by_rsa), "no bearer", 503, without("HS256_SECRET")),
    "jwt_issuer": Seen(ISSUER, bearer(signed), "no bearer", 200, without("ISSUER")),
    "jwt_audience": Seen(AUDIENCE, bearer(signed), "no bearer", 200, without("AUDIENCE")),
    "jwt_leeway_seconds": Seen("60", bearer(just_over), 401, 200, TOKENS),
    "oidc_bff_secret": Seen(SECRET, login, "no login", "https://id.example/"),
}


ACCEPTED = ["async_page_depends"]
"""What older versions had and these do without."""


def test_every_working_setting_has_an_entry() -> None:
    rows = dict(ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert rows.keys() == FluxlitSettings.model_fields.keys()
    assert rows.keys() - set(ACCEPTED) == BEHAVIOUR.keys()


@pytest.mark.parametrize("value", ["0", "1"])
def test_async_dependencies_work_whatever_an_older_setting_says(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.read_text("utf-8").partition("## Accepted for older versions")[2]
    assert [name for name, _ in ROW.findall(section)] == ACCEPTED == ["async_page_depends"]
    monkeypatch.setenv(variable("async_page_depends"), value)

    async def answer() -> int:
        return 42

    def home(st: Any, found: Annotated[int, Depends(answer)]) -> None:
        st.write(found)

    app, st = FluxLit(), FakeStreamlit()
    app.page("/")(home)
    run_site(cast("ModuleType", st), app.site(), st.menu)
    assert st.written == [42]


def variable(name: str) -> str:
    return f"FLUXLIT_{name.upper()}"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    for name in list(os.environ):
        if name.startswith(("FLUXLIT_", "STREAMLIT_")) or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLUXLIT_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "head.html").write_text("<!-- of the file -->")
    records: list[logging.LogRecord] = []
    handler = Keeping(records)
    loggers = [logging.getLogger(name) for name in ("fluxlit.access", "fluxlit.api")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="fxl") as folder:
        upstream = FakeUpstream(Path(folder, "ui-0.sock"))
        yield Lab(upstream, records)
        upstream.close()
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


OF_THE_FRONTEND = {"ui_frontend", "ui_head_html", "ui_head_file", "ui_content_security_policy"}
"""Elsewhere the pages come from the fake UI, which says "ok"."""


def entries(kind: type) -> list[str]:
    return [name for name, entry in BEHAVIOUR.items() if isinstance(entry, kind)]


@pytest.mark.integration
@pytest.mark.parametrize("name", entries(Seen))
def test_a_variable_changes_what_is_seen(
    name: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = BEHAVIOUR[name]
    assert isinstance(entry, Seen)
    if name not in OF_THE_FRONTEND:
        monkeypatch.setenv("FLUXLIT_UI_FRONTEND", "0")
    for given, value in entry.given.items():
        monkeypatch.setenv(given, value)
    assert entry.look(lab) == entry.before
    lab.records.clear()
    monkeypatch.setenv(variable(name), entry.value)
    assert entry.look(lab) == entry.after
    assert entry.before != entry.after


@pytest.mark.parametrize("name", entries(Wired))
def test_a_variable_reaches_the_gateway_whose_tests_show_its_effect(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = BEHAVIOUR[name]
    assert isinstance(entry, Wired)

    def option() -> object:
        options = GatewayOptions.from_settings(
            FluxlitSettings(), docs_paths=frozenset(), internal_socket=""
        )
        return getattr(options, entry.option)

    assert option() != entry.expected
    monkeypatch.setenv(variable(name), entry.value)
    assert option() == entry.expected
    file, _, function = entry.test.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    [test] = [it for it in tree.body if isinstance(it, ast.FunctionDef) and it.name == function]
    assert entry.option in ast.unparse(test), f"{function} does not set {entry.option}"


@pytest.mark.integration
@pytest.mark.parametrize("name", entries(Live))
def test_a_variable_changes_a_running_service(
    name: str, live: dict[str, tuple[object, object]]
) -> None:
    entry = BEHAVIOUR[name]
    assert isinstance(entry, Live)
    assert live[name] == (entry.before, entry.after)


def test_every_other_documented_variable_is_in_some_test() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Outside the settings")[2]
    named = {name for row in VARIABLES.findall(text) for name in re.findall(r"FLUXLIT_\w+", row)}
    assert len(named) > 5
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in named if name not in sources} == set()

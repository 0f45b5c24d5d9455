"""Every setting that is documented as working is set by its variable and seen to change something.

A setting without an entry here fails the first test; one that is marked *reserved* in
docs/configuration.md has none.
"""

from __future__ import annotations

import ast
import contextlib
import http.client
import logging
import os
import re
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.testclient import WebSocketDenialResponse
from tests.gateway.harness import FakeUpstream, Fixed
from tests.support.ports import free_port
from tests.support.process import Probe, ServerProcess
from tests.support.service import FLUXLIT
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from fluxlit import FluxLit, FluxlitSettings
from fluxlit.config.deployment import observe as look_around
from fluxlit.config.rules import refuse_doubtful
from fluxlit.exceptions import ConfigurationError
from fluxlit.gateway.options import GatewayOptions
from fluxlit.gateway.upstream import Upstream
from fluxlit.pages.runner import run_site

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(\w+)` \| `FLUXLIT_\w+` \| `.*?` \| (.*) \|$", re.MULTILINE)
VARIABLES = re.compile(r"^\| ((?:`FLUXLIT_\w+`(?:, )?)+) \|", re.MULTILINE)


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

        unified = app.asgi(Fixed(Upstream("ui-0", socket_path=str(self.upstream.path))))
        with TestClient(unified, client=("127.0.0.1", 50000), follow_redirects=False) as client:
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


def access_lines(lab: Lab) -> object:
    lab.get("/api/users")
    return len([record for record in lab.records if record.name == "fluxlit.access"])


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
    run_site(cast("ModuleType", fake), FluxLit().site())
    return said.get("layout")


def app_base(_: Lab) -> object:
    scope = {"type": "http", "scheme": "http", "server": ("a", 80), "headers": [], "path": "/"}
    return FluxLit().urls.app_base(Request(scope))


ORIGIN = {"FLUXLIT_CORS_ALLOW_ORIGINS": "https://a.example"}
TRUST = {"FLUXLIT_TRUST_PROXY": "1"}
DOUBTFUL = {"FLUXLIT_ROOT_PATH": "/desk"}
RELAY = "gateway/test_websocket_relay.py"


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

    def status(self, path: str) -> int:
        """Ask for a path; 0 when the answer never comes."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

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


def watch(service: Running, port: int) -> dict[str, object]:
    """Look at everything that only a running service shows, and end it."""
    seen: dict[str, object] = {
        "gateway_host": is_open("127.0.0.2", service.port),
        "gateway_port": is_open(service.host, port),
        "ui_handoff": service.owner_of_socket(),
        "streamlit_run_cli_args": service.status("/app/static/a.txt"),
    }
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(service.status, "/api/slow")
        deadline = time.monotonic() + 10
        while not (service.directory / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        (service.directory / "begun").unlink()
        service.stop(signal.SIGTERM)
        seen["uvicorn_graceful_shutdown_timeout_s"] = slow.result()
    seen["log_level"] = "SIGTERM: stopping" in service.output()
    return seen


SERVED = """
import asyncio
from pathlib import Path
from fluxlit import FluxLit
app = FluxLit()

@app.api.get("/slow")
async def slow() -> None:
    Path("begun").touch()
    await asyncio.sleep(1.5)
"""


@pytest.fixture(scope="module")
def live() -> Iterator[dict[str, tuple[object, object]]]:
    """What is seen of a service without and with the variables of all :class:`Live` entries."""
    with tempfile.TemporaryDirectory(prefix="fluxlit-test-") as name:
        folder = Path(name)
        (folder / "app.py").write_text(SERVED)
        (folder / "static").mkdir()
        (folder / "static/a.txt").write_text("a")
        common = {"FLUXLIT_RUN_DIR": str(folder / "run")}
        port, other = free_port(), free_port()
        without = Running(folder, ("127.0.0.1", other), "--port", str(other), **common)
        before = watch(without, port)
        said = {
            f"FLUXLIT_{name.upper()}": entry.value.format(port=port)
            for name, entry in BEHAVIOUR.items()
            if isinstance(entry, Live)
        }
        after = watch(Running(folder, ("127.0.0.2", port), **common, **said), port)
        yield {name: (before[name], after[name]) for name in before}


BEHAVIOUR: dict[str, Seen | Wired | Live] = {
    "title": Seen("Desk", lambda lab: lab.get("/api/openapi.json").json()["info"]["title"],
                  "FluxLit", "Desk"),
    "debug": Seen("1", access_lines, 0, 1),
    "log_level": Live("error", before=True, after=False),
    "strict_startup": Seen("1", starts, "starts", "strict_startup", DOUBTFUL),
    "gateway_host": Live("127.0.0.2", before=False, after=True),
    "gateway_port": Live("{port}", before=False, after=True),
    "api_mount_path": Seen("/v1", lambda lab: lab.who("/v1/users"), "ui", "api 200"),
    "ui_path": Seen("/ui", lambda lab: lab.who("/users"), "ui", "api 200"),
    "root_path": Seen("/desk", lambda lab: lab.who("/desk/api/users"), "ui", "api 200"),
    "streamlit_public_path": Seen("/old", lambda lab: lab.who("/old/api/users"), "ui", "api 200"),
    "public_base_url": Seen("https://a.example", app_base, "http://a", "https://a.example"),
    "strict_public_base_url": Seen(
        "1", starts, "starts", "strict_public_base_url", DOUBTFUL
    ),
    "trust_proxy": Seen(
        "1", reflected("scheme", x_forwarded_proto="https"), "http", "https"
    ),
    "forwarded_allow_ips": Seen(
        "10.0.0.1", reflected("scheme", x_forwarded_proto="https"), "https", "http", TRUST
    ),
    "gateway_upstream_connect_timeout_s": Wired(
        "0.3", "connect_timeout", 0.3,
        "gateway/test_pool.py::test_a_limit_of_connections_makes_requests_wait_their_turn",
    ),
    "gateway_upstream_read_timeout_s": Wired(
        "0.2", "read_timeout", 0.2,
        "gateway/test_http_relay.py::test_no_answer_in_time_is_a_gateway_timeout",
    ),
    "gateway_httpx_max_connections": Wired(
        "1", "max_connections", 1,
        "gateway/test_pool.py::test_a_limit_of_connections_makes_requests_wait_their_turn",
    ),
    "gateway_max_proxy_request_body_bytes": Seen("10", upload(11), 200, 413),
    "gateway_ws_open_timeout_s": Wired(
        "0.3", "ws_open_timeout", 0.3, f"{RELAY}::test_a_handshake_without_an_answer_times_out"
    ),
    "gateway_ws_close_timeout_s": Wired("1", "ws_close_timeout", 1.0, ""),
    "gateway_ws_ping_interval_s": Wired("1", "ws_ping_interval", 1.0, ""),
    "gateway_ws_ping_timeout_s": Wired("1", "ws_ping_timeout", 1.0, ""),
    "gateway_ws_max_message_bytes": Wired(
        "9", "ws_max_message_bytes", 9, f"{RELAY}::test_a_message_over_the_limit_closes_with_1009"
    ),
    "uvicorn_graceful_shutdown_timeout_s": Live("0", before=200, after=0),
    "ui_allowed_origins": Seen(
        "https://b.example", socket_from("https://b.example"), "refused", "passed on"
    ),
    "ui_handoff": Live("0", before="ui", after="gateway"),
    "streamlit_run_cli_args": Live(
        "--server.enableStaticServing=true", before=404, after=200
    ),
    "streamlit_page_config": Seen('{"layout": "wide"}', page_config, None, "wide"),
    "cors_allow_origins": Seen(
        "https://a.example", header("access-control-allow-origin", origin="https://a.example"),
        None, "https://a.example",
    ),
    "cors_allow_credentials": Seen(
        "1", header("access-control-allow-credentials", origin="https://a.example"),
        None, "true", ORIGIN,
    ),
    "cors_middleware_kwargs": Seen(
        '{"max_age": 5}', preflight("access-control-max-age"), "600", "5", ORIGIN
    ),
    "enable_gateway_access_log": Seen("1", access_lines, 0, 1),
}  # fmt: skip


def test_every_working_setting_has_an_entry() -> None:
    rows = dict(ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert rows.keys() == FluxlitSettings.model_fields.keys()
    assert {name for name, text in rows.items() if "*reserved*" not in text} == BEHAVIOUR.keys()


def variable(name: str) -> str:
    return f"FLUXLIT_{name.upper()}"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    for name in list(os.environ):
        if name.startswith(("FLUXLIT_", "STREAMLIT_")) or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("fluxlit.access")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="fxl") as folder:
        upstream = FakeUpstream(Path(folder, "ui-0.sock"))
        yield Lab(upstream, records)
        upstream.close()
    logger.removeHandler(handler)
    logger.setLevel(level)


def entries(kind: type) -> list[str]:
    return [name for name, entry in BEHAVIOUR.items() if isinstance(entry, kind)]


@pytest.mark.integration
@pytest.mark.parametrize("name", entries(Seen))
def test_a_variable_changes_what_is_seen(
    name: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = BEHAVIOUR[name]
    assert isinstance(entry, Seen)
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
    assert f"{entry.option}=" in ast.unparse(test), f"{function} does not set {entry.option}"


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

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field, ValidationError
from uvicorn.protocols.http.h11_impl import H11Protocol

from fluxlit._env import INTERNAL_API_BASE, INTERNAL_API_SOCKET
from fluxlit.client import ApiClient, ApiError, ApiTimeoutError, ApiUnavailableError
from fluxlit.exceptions import ConfigurationError, FluxLitError
from fluxlit.logging import reset_request_id, set_request_id


class User(BaseModel):
    name: str


@dataclass
class Seen:
    """What the server saw: how many connections, and who waits for company."""

    connections: int = 0
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(8))


def make_api(seen: Seen) -> FastAPI:
    api = FastAPI()

    @api.get("/api/users")
    def users() -> list[dict[str, str]]:
        return [{"name": "Ada"}, {"name": "Grace"}]

    @api.post("/api/users")
    def add(user: User) -> User:
        return user

    @api.get("/api/broken")
    def broken() -> list[dict[str, str]]:
        return [{"nom": "Ada"}]

    @api.get("/api/missing")
    def missing(detail: str = "no such thing") -> None:
        raise HTTPException(404, detail)

    @api.get("/api/slow")
    def slow() -> None:
        seen.together.wait(10)

    @api.get("/api/login")
    def login(response: Response) -> None:
        response.set_cookie("who", "ada")

    @api.api_route("/api/echo/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @api.api_route("/api/api/{rest:path}", methods=["GET"])
    async def echo(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "raw_path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }

    @api.post("/api/numbers")
    def numbers(values: Annotated[list[int], Body()]) -> list[int]:
        return sorted(values)

    return api


class ThreadedServer(uvicorn.Server):
    """A real Uvicorn in a thread; as a context manager it is ready inside and gone after."""

    def __init__(self, listener: socket.socket) -> None:
        self.seen = seen = Seen()
        self.listener = listener
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=([listener],))

        class Counting(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                seen.connections += 1
                super().connection_made(transport)

        api = make_api(seen)
        super().__init__(uvicorn.Config(api, http=Counting, log_level="warning", lifespan="off"))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def __enter__(self) -> Seen:
        self.thread.start()
        assert self.ready.wait(10)
        return self.seen

    def __exit__(self, *exc: object) -> None:
        self.should_exit = True
        self.thread.join(10)
        self.listener.close()


@dataclass
class Api:
    seen: Seen
    environ: dict[str, str]

    def client(self, **options: Any) -> ApiClient:
        return ApiClient(environ=self.environ, **options)


@pytest.fixture(params=["tcp", "unix"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    if request.param == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        environ = {INTERNAL_API_BASE: f"http://127.0.0.1:{listener.getsockname()[1]}/api"}
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "api.sock"))
        listener.listen()
        environ = {
            INTERNAL_API_BASE: "http://desk.internal:8000/api/",
            INTERNAL_API_SOCKET: str(tmp_path / "api.sock"),
        }
    with ThreadedServer(listener) as seen:
        yield Api(seen, environ)


def recorded(**options: Any) -> tuple[ApiClient, list[httpx2.Request]]:
    """A client whose requests go nowhere but into a list."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, json={"name": "Ada"})

    options.setdefault("environ", {})
    return ApiClient(transport=httpx2.MockTransport(answer), **options), requests


# --- over real sockets


def test_every_verb_reaches_the_api(api: Api) -> None:
    client = api.client()
    for verb in (client.get, client.post, client.put, client.patch, client.delete):
        answer = verb("/echo/x", params={"q": 1}).json()
        assert answer["method"] == verb.__name__.upper()
        assert (answer["raw_path"], answer["query"]) == ("/api/echo/x", "q=1")
    assert client.request("GET", "echo/y").json()["raw_path"] == "/api/echo/y"
    assert client.head("/users").status_code == 405
    assert client.post("/echo/x", json={"a": "é"}).json()["body"] == '{"a":"é"}'


def test_the_host_is_the_base_urls(api: Api) -> None:
    host = httpx2.URL(api.environ[INTERNAL_API_BASE]).netloc.decode()
    assert api.client().get("/echo/").json()["headers"]["host"] == host


def test_answers_as_models_and_lists(api: Api) -> None:
    client = api.client()
    two = [User(name="Ada"), User(name="Grace")]
    assert client.get_model("/users", list[User]) == two
    assert client.get("/users", model=list[User]) == two
    assert client.get("/users", model=list[User] | None) == two
    assert client.post_model("/users", User, body=User(name="Eve")) == User(name="Eve")
    assert client.post_model("/users", User, body={"name": "Eve"}).name == "Eve"
    assert client.post_model("/numbers", list[int], body=[3, 1]) == [1, 3]
    assert client.post("/users", json={"name": "Eve"}, model=User).name == "Eve"
    with pytest.raises(ValidationError, match="name"):
        client.get_model("/broken", list[User])


def test_connections_are_reused_by_later_clients(api: Api) -> None:
    for _ in range(5):
        with api.client() as client:
            assert client.get("/users").status_code == 200
        api.client().with_bearer("t").get("/users")
    assert api.seen.connections == 1


def test_a_closed_client_goes_on_working(api: Api) -> None:
    client = api.client()
    client.get("/users")
    client.close()
    client.close()
    assert client.get("/users").status_code == 200
    assert api.seen.connections == 1


def test_threads_share_the_connections(api: Api) -> None:
    clients = [api.client(), api.client()]
    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(clients[n % 2].get, "/slow") for n in range(8)]
        assert {job.result(20).status_code for job in slow} == {200}
        quick = [pool.submit(clients[n % 2].get, "/users") for n in range(200)]
        assert {job.result(20).status_code for job in quick} == {200}
    assert api.seen.connections == 8


def test_cookies_stay_with_the_client_that_got_them(api: Api) -> None:
    client = api.client()
    client.get("/login")
    assert client.get("/echo/").json()["headers"]["cookie"] == "who=ada"
    assert "cookie" not in client.with_bearer("t").get("/echo/").json()["headers"]
    assert "cookie" not in api.client().get("/echo/").json()["headers"]
    client.close()
    assert "cookie" not in client.get("/echo/").json()["headers"]


# The server's thread is there; the child only makes one request and ends.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_its_own_connection(api: Api) -> None:
    client = api.client()
    client.get("/users")
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            os._exit(0 if client.get("/users").status_code == 200 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.get("/users").status_code == 200
    assert api.seen.connections == 2


def test_an_error_names_method_path_status_and_detail(api: Api) -> None:
    client = api.client().with_bearer("t0ken")
    with pytest.raises(ApiError) as caught:
        client.get_model("/missing?fluxlit_sid=s3cret", User)
    assert str(caught.value) == "GET /api/missing answered 404 Not Found: no such thing"
    assert isinstance(caught.value, httpx2.HTTPStatusError)
    assert isinstance(caught.value, FluxLitError)
    assert caught.value.response.json() == {"detail": "no such thing"}
    with pytest.raises(ApiError, match=r"POST /api/users answered 422 .*: body\.name: Field req"):
        client.post_model("/users", User, body={"password": "s3cret"})
    with pytest.raises(ApiError, match="404"):
        client.get("/nowhere").raise_for_status()
    assert client.get("/nowhere").status_code == 404
    assert client.get("/users").raise_for_status().json()[0] == {"name": "Ada"}


def test_a_details_excerpt_is_short_and_printable(api: Api) -> None:
    answer = api.client().get("/missing", params={"detail": "a\x1b[31m\n\n" + "b" * 500})
    with pytest.raises(ApiError) as caught:
        answer.raise_for_status()
    words = str(caught.value).partition("Not Found: ")[2]
    assert words.startswith("a[31m bbb")
    assert words.endswith("…")
    assert len(words) == 201


def test_a_timeout_is_named(api: Api) -> None:
    with pytest.raises(
        ApiTimeoutError, match=r"GET /api/slow: .* did not answer in time"
    ) as caught:
        api.client(timeout=0.2).get("/slow?token=s3cret")
    api.seen.together.abort()
    assert isinstance(caught.value, httpx2.TimeoutException)
    assert "s3cret" not in str(caught.value)
    assert caught.value.remedy


leaves_refused_sockets = pytest.mark.filterwarnings(
    # httpcore2 leaves a Unix socket that could not connect to the garbage collector.
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed <socket:ResourceWarning",
)


@pytest.fixture
def refused_sockets_collected() -> Iterator[None]:
    """Let those sockets go inside the test that expects them."""
    yield
    gc.collect()


@leaves_refused_sockets
@pytest.mark.parametrize("name", ["", "gone.sock"])
@pytest.mark.usefixtures("refused_sockets_collected")
def test_nobody_listens(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = str(tmp_path / name) if name else ""
    environ = {
        INTERNAL_API_BASE: f"http://u:s3cret@127.0.0.1:{port}/api",
        INTERNAL_API_SOCKET: path,
    }
    client = ApiClient(environ=environ).with_bearer("t0ken")
    with pytest.raises(ApiUnavailableError) as caught:
        client.get("/users?auth_code=s3cret")
    text = str(caught.value)
    assert text.startswith(f"GET /api/users: the API at http://127.0.0.1:{port}/api")
    assert "cannot be reached" in text
    assert "not running" in text
    assert path in text
    assert "s3cret" not in text
    assert "t0ken" not in text
    assert isinstance(caught.value, httpx2.TransportError)


@leaves_refused_sockets
@pytest.mark.usefixtures("refused_sockets_collected")
def test_a_server_that_comes_back_at_once_is_not_missed(tmp_path: Path) -> None:
    heads: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:

        def serve_once() -> None:
            listener.bind(str(tmp_path / "api.sock"))
            listener.listen()
            connection, _ = listener.accept()
            with connection:
                heads.append(connection.recv(65_536))
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")

        late = threading.Timer(0.1, serve_once)
        late.start()
        client = ApiClient(environ={INTERNAL_API_SOCKET: str(tmp_path / "api.sock")})
        assert client.get("/users").json() == []
        late.join(10)
    assert len(heads) == 1


def test_a_hang_up_is_named_and_not_sent_again() -> None:
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                heads.append(connection.recv(65_536))

        server = threading.Thread(target=hang_up)
        server.start()
        client = ApiClient(f"http://127.0.0.1:{listener.getsockname()[1]}/api")
        with pytest.raises(ApiUnavailableError, match=r"POST /api/pay: .* hung up before"):
            client.post("/pay")
        server.join(10)
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert len(heads) == 1


# --- where the API is


@pytest.mark.parametrize(
    ("argument", "environ", "shown"),
    [
        (None, {}, "http://127.0.0.1:8000/api"),
        (None, {INTERNAL_API_BASE: "http://h:1/v1/"}, "http://h:1/v1"),
        (None, {INTERNAL_API_BASE: " "}, "http://127.0.0.1:8000/api"),
        (None, {INTERNAL_API_SOCKET: "/r/a"}, "http://127.0.0.1:8000/api (socket /r/a)"),
        ("http://x", {INTERNAL_API_BASE: "http://h/a", INTERNAL_API_SOCKET: "/r/a"}, "http://x"),
        ("https://[::1]:9/a//", {}, "https://[::1]:9/a"),
    ],
)
def test_the_base(argument: str | None, environ: dict[str, str], shown: str) -> None:
    assert repr(ApiClient(argument, environ=environ)) == f"<ApiClient {shown}>"


@pytest.mark.parametrize(
    "base", ["", "/api", "ftp://x/api", "http://", "http://x/a?b=c", "http://x:port/api"]
)
def test_a_wrong_base(base: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        ApiClient(base)
    if base:
        with pytest.raises(ConfigurationError, match=INTERNAL_API_BASE):
            ApiClient(environ={INTERNAL_API_BASE: base})


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("http://h/api", "/users", "http://h/api/users"),
        ("http://h/api", "users", "http://h/api/users"),
        ("http://h/api", "", "http://h/api/"),
        ("http://h/api", "?a=1", "http://h/api/?a=1"),
        ("http://h/api", "/users/?a=1", "http://h/api/users/?a=1"),
        (
            "http://h/api",
            "/go?to=https://x.example/../..",
            "http://h/api/go?to=https://x.example/../..",
        ),
        ("http://h/api", "/fetch/http://x", "http://h/api/fetch/http://x"),
        ("http://h/api", "/a/../b", "http://h/api/b"),
        ("http://h/api", "/a%2Fb", "http://h/api/a%2Fb"),
        ("http://h/api", "/apix", "http://h/api/apix"),
        ("http://h/api", "/v1/api/users", "http://h/api/v1/api/users"),
        ("http://h/api", "/./api/users", "http://h/api/api/users"),
        ("http://h/a/b", "/b/users", "http://h/a/b/b/users"),
        ("http://h", "/api/users", "http://h/api/users"),
        ("http://h", "/", "http://h/"),
    ],
)
def test_where_a_path_leads(base: str, path: str, url: str) -> None:
    client, requests = recorded(base_url=base)
    client.get(path)
    assert str(requests[0].url) == url


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/users", "write '/users', not '/api/users'"),
        ("api/users?a=1", "write '/users', not '/api/users'"),
        ("/api", "write '/', not '/api'"),
        ("http://evil.example/users", "relative to the API"),
        ("HTTP://evil.example", "relative to the API"),
        ("//evil.example/users", "relative to the API"),
        ("../x", "leads out"),
        ("/a/../../x", "leads out"),
        ("/%2e%2E/x", "leads out"),
        ("/..%2f..", "leads out"),
        ("/..?a", "leads out"),
        ("/a\nb", "cannot stand in a URL"),
    ],
)
def test_paths_that_are_refused(path: str, words: str) -> None:
    client, requests = recorded()
    with pytest.raises(ValueError, match="path") as caught:
        client.get(path)
    assert words in str(caught.value)
    assert requests == []


# --- headers


def test_headers_later_ones_win() -> None:
    client, requests = recorded(
        default_headers={"x-a": "default", "x-b": "default", "x-c": "default"},
        auth_header_factory=lambda: {"X-B": "factory", "X-C": "factory"},
    )
    client.get("/", headers={"x-C": "call"})
    headers = requests[0].headers
    assert [headers.get_list(name) for name in ("x-a", "x-b", "x-c")] == [
        ["default"],
        ["factory"],
        ["call"],
    ]


def test_the_factory_is_asked_for_each_request() -> None:
    tokens = iter("ab")
    client, requests = recorded(auth_header_factory=lambda: {"Authorization": next(tokens)})
    client.get("/")
    client.get("/")
    assert [request.headers["authorization"] for request in requests] == ["a", "b"]


def test_with_bearer_keeps_the_rest_and_leaves_the_parent_alone() -> None:
    parent, requests = recorded(
        base_url="http://h/v1",
        default_headers={"x-a": "1"},
        auth_header_factory=lambda: {"Authorization": "parent", "x-b": "2"},
    )
    parent.with_bearer("t").get("/")
    parent.get("/")
    child = requests[0]
    assert str(child.url) == "http://h/v1/"
    assert child.headers["authorization"] == "Bearer t"
    assert (child.headers["x-a"], child.headers["x-b"]) == ("1", "2")
    assert requests[1].headers["authorization"] == "parent"


@pytest.mark.parametrize("token", ["", "a b", "s3cret\r\nx: y", "s3crét"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(ValueError, match="bearer token") as caught:
        recorded()[0].with_bearer(token)
    assert "s3cr" not in str(caught.value)


def test_a_malformed_header_never_shows_its_value(api: Api) -> None:
    client = api.client(auth_header_factory=lambda: {"Authorization": "Bearer s3cret\n"})
    with pytest.raises(ValueError, match="GET /api/users cannot be sent") as caught:
        client.get("/users")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_for_fluxlit() -> None:
    with pytest.raises(TypeError, match="only one"):
        ApiClient.for_fluxlit(bearer_token="t", auth_header_factory=dict)
    assert repr(ApiClient.for_fluxlit(base_url="http://h/api")) == "<ApiClient http://h/api>"


def test_for_fluxlit_sends_the_token(api: Api) -> None:
    client = ApiClient.for_fluxlit(bearer_token="t", environ=api.environ)
    assert client.get("/echo/").json()["headers"]["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("propagate", "given", "seen"),
    [(True, None, "id-1"), (True, "mine", "mine"), (False, None, None)],
)
def test_the_request_id(propagate: bool, given: str | None, seen: str | None) -> None:
    client, requests = recorded(propagate_request_id=propagate)
    token = set_request_id("id-1")
    try:
        client.get("/", headers={"X-Request-ID": given} if given else {})
    finally:
        reset_request_id(token)
    client.get("/")
    assert requests[0].headers.get("x-request-id") == seen
    assert "x-request-id" not in requests[1].headers


def test_proxies_of_the_environment_see_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert api.client().get("/users").status_code == 200


def test_only_one_body() -> None:
    client, requests = recorded()
    with pytest.raises(TypeError, match="Pass only one of body or json"):
        client.post_model("/users", User, body={"name": "a"}, json={"name": "b"})
    assert requests == []


class Dated(BaseModel):
    day: date = Field(alias="on")


def test_a_json_body_may_hold_models_and_dates() -> None:
    client, requests = recorded()
    dated = Dated(on=date(2026, 1, 2))
    client.post("/", json={"items": [dated], "at": date(2026, 1, 3)})
    client.post_model("/", dict, body=dated)
    assert [json.loads(it.content) for it in requests] == [
        {"items": [{"on": "2026-01-02"}], "at": "2026-01-03"},
        {"on": "2026-01-02"},
    ]


def test_a_callers_own_options_stay_as_they_were() -> None:
    client, _ = recorded()
    options: Any = {"headers": {"x-a": "1"}}
    client.get("/", **options)
    assert options == {"headers": {"x-a": "1"}}

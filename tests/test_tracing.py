from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from tests.gateway.harness import FakeUpstream, Fixed
from tests.support.service import running

from fluxlit import reset_trace_hook, set_trace_hook, trace_span
from fluxlit._types import Receive, Scope, Send
from fluxlit.gateway import Gateway, GatewayOptions, Upstream
from fluxlit.tracing import Attributes


class Recorder:
    """A hook that keeps the spans in the order of their ends."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Attributes]] = []
        self.open = 0

    @contextmanager
    def __call__(self, name: str, attributes: Attributes) -> Iterator[str]:
        self.open += 1
        try:
            yield name
        finally:
            self.open -= 1
            self.spans.append((name, attributes))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    api = FastAPI()

    @api.get("/users")
    def users() -> list[str]:
        return []

    with tempfile.TemporaryDirectory(prefix="fxt") as folder:
        upstream = FakeUpstream(Path(folder, "ui-0.sock"))
        options = GatewayOptions(mount="/m", secret_query_keys=frozenset({"sid"}))
        yield Gateway(api, options, Fixed(Upstream("ui-0", str(upstream.path))))
        upstream.close()


def ask(gateway: Gateway, hook: Recorder | None, path: str) -> None:
    """Ask with a hook set around the app, as a middleware would."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        token = set_trace_hook(hook)
        try:
            await gateway(scope, receive, send)
        finally:
            reset_trace_hook(token)

    async def exchange() -> int:
        transport = httpx2.ASGITransport(middleware)
        async with httpx2.AsyncClient(transport=transport, base_url="http://front.test") as client:
            answer = await client.get(path, headers={"X-Request-ID": "abc"})
        await gateway.aclose()
        return answer.status_code

    assert asyncio.run(exchange()) == 200


def test_a_request_of_the_api_has_a_span(gateway: Gateway) -> None:
    hook = Recorder()
    ask(gateway, hook, "/m/api/users?token=s3cret")
    expected = {
        "fluxlit.dispatch": "api",
        "http.method_or_type": "GET",
        "url.path": "/m/api/users",
        "request_id": "abc",
    }
    assert hook.spans == [("fluxlit.gateway.request", expected)]


def test_a_request_of_the_ui_has_one_for_the_worker_in_it(gateway: Gateway) -> None:
    hook = Recorder()
    ask(gateway, hook, "/m/media/a%2Fb?sid=s3cret&token=s3cret&page=2")
    (inner, said), (outer, around) = hook.spans
    assert (outer, around["fluxlit.dispatch"]) == ("fluxlit.gateway.request", "streamlit")
    assert inner == "fluxlit.gateway.upstream_http"
    assert said["http.request.method"] == "GET"
    assert said["fluxlit.request_id"] == "abc"
    url = "http://ui/m/media/a%2Fb?sid=%3Credacted%3E&token=%3Credacted%3E&page=2"
    assert said["url.full"] == url


def test_a_hook_holds_for_its_context_only(gateway: Gateway) -> None:
    hook = Recorder()
    token = set_trace_hook(hook)
    with trace_span("desk.report", {"week": 3}) as span:
        assert (span, hook.open) == ("desk.report", 1)
    reset_trace_hook(token)
    with trace_span("desk.report", {}) as span:
        assert span is None
    assert hook.spans == [("desk.report", {"week": 3})]
    ask(gateway, None, "/m/api/users")
    assert len(hook.spans) == 1


TRACED = """
from contextlib import contextmanager
from fluxlit import FluxLit, set_trace_hook

app = FluxLit()
spans = []

@contextmanager
def hook(name, attributes):
    spans.append(attributes.get("url.path", ""))
    yield

set_trace_hook(hook)

@app.api.get("/spans")
def seen() -> list[str]:
    return spans

@app.page("/")
def home(st):
    st.title("Home")
"""


@pytest.mark.integration
def test_a_hook_that_is_set_while_the_app_is_imported_holds_for_its_service(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TRACED)
    with running("run", directory=tmp_path) as service:
        answer = httpx2.get(f"{service.origin}/api/spans", trust_env=False)
    assert {"/api/readyz", "/api/spans"} <= set(answer.json())

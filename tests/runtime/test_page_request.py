"""What a page knows of the request that opened it is what a route would know."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.runtime.harness import get
from tests.support.service import running
from tests.support.tabs import Browser

APP = """
from typing import Annotated, Any
from fastapi import Depends, Request
from fluxlit import FluxLit

app = FluxLit()

def seen(request: Request) -> str:
    told = [request.url.hostname, request.url.port, request.headers.get("user-agent")]
    return f"{told} {'_streamlit_xsrf' in request.cookies}"

@app.api.get("/seen")
def route(it: Annotated[str, Depends(seen)]) -> str:
    return it

@app.page("/")
def home(st: Any, it: Annotated[str, Depends(seen)]) -> None:
    st.text(it)
"""


def test_one_dependency_reads_the_request_of_a_route_and_of_a_page(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running("run", directory=tmp_path) as service, ExitStack() as tabs:
        assert get(service, "/api/seen")[1] == f"\"['127.0.0.1', {service.port}, None] False\""
        told = Browser(service, tabs).open("Mozilla").texts
        assert told == [f"['127.0.0.1', {service.port}, 'Mozilla'] True"]

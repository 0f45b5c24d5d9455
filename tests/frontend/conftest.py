"""A small folder that looks like Streamlit's, and a client that speaks ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluxlit._streamlit.frontend import StreamlitFrontend
from fluxlit._types import Message, Scope
from fluxlit.frontend import Frontend, FrontendOptions, PageHead

INDEX = """<!doctype html><html><head>
<link rel="shortcut icon" href="./favicon.png" /><title>Streamlit</title>
<script type="module" crossorigin src="./static/js/app.AbCd_-12.js"></script>
</head><body><noscript>no</noscript></body></html>
"""
SCRIPT = b"console.log('one and the same line');\n" * 500
PICTURE = bytes(range(256)) * 8


@pytest.fixture
def streamlit(tmp_path: Path) -> StreamlitFrontend:
    folder = tmp_path / "static"
    for name, content in {
        "index.html": INDEX.encode(),
        "favicon.png": PICTURE,
        "manifest.json": b"{}" * 400,
        "static/js/app.AbCd_-12.js": SCRIPT,
        "static/js/later.AbCd_-34.js": SCRIPT[:2000],
        "static/media/tiny.AbCd_-56.svg": b"<svg/>",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return StreamlitFrontend("1.2.3", folder)


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Visit:
    """Asks a frontend as the gateway does; ``None`` means that it left the answer to others."""

    frontend: Frontend

    async def get(self, path: str, method: str = "GET", **headers: str) -> Reply | None:
        reply = Reply()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert not reply.status, "a second answer"
                reply.status = message["status"]
                reply.headers = {key.decode(): value.decode() for key, value in message["headers"]}
            else:
                reply.body += message["body"]

        given = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
        scope: Scope = {"type": "http", "method": method, "headers": given}
        resource = await self.frontend.find(path.encode())
        if resource is None or not await self.frontend.send(resource, scope, send):
            return None
        return reply

    async def expect(self, path: str, method: str = "GET", **headers: str) -> Reply:
        reply = await self.get(path, method, **headers)
        assert reply is not None, f"{path} was left to the UI worker"
        return reply


Open = Callable[..., Visit]


@pytest.fixture
def visit(streamlit: StreamlitFrontend, tmp_path: Path) -> Open:
    """Open the small frontend with options of one's own."""

    def build(*, heads: dict[str, PageHead] | None = None, **options: str) -> Visit:
        given = FrontendOptions(cache=tmp_path / "cache", **options)
        return Visit(Frontend(given, heads or {"": PageHead("Desk", site="Desk")}, streamlit))

    return build


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Put a file where a folder has to be, which stops root too."""
    folder.write_bytes(b"")
    yield
    folder.unlink()

"""One page for each thing that a browser test does with FluxLit pages."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from fastapi import Request

from fluxlit import FluxLit

if TYPE_CHECKING:
    from fluxlit.client import ApiClient

FRAME_ROWS = 130_000
FRAME_COLUMNS = 10
# Three bytes a character: as much to send as digits would be, and a third of the glyphs to paint.
TEXT_LINE = "─" * 100_000 + "\n"
TEXT_BYTES = 50 * 1024 * 1024

app = FluxLit(title="Gallery")


@app.api.get("/request-id")
def request_id(request: Request) -> dict[str, str]:
    return {"id": request.headers.get("x-request-id", "none")}


@app.page("/", title="Widgets")
def widgets(st: Any) -> None:
    st.title("Widgets")
    level = st.slider("Level", 0, 10, 3)
    name = st.text_input("Name")
    if st.button("Count"):
        st.session_state["count"] = st.session_state.get("count", 0) + 1
    st.text(f"level {level}")
    st.text(f"name {name or 'nobody'}")
    st.text(f"count {st.session_state.get('count', 0)}")


@app.page("/frame", title="Frame")
def frame(st: Any) -> None:
    values = np.arange(FRAME_ROWS * FRAME_COLUMNS, dtype="float64")
    table = pd.DataFrame(values.reshape(FRAME_ROWS, FRAME_COLUMNS)).add_prefix("c")
    st.title("Frame")
    st.text(f"{int(table.memory_usage(index=False).sum())} bytes")
    st.dataframe(table)


@app.page("/text", title="Text")
def text(st: Any) -> None:
    st.title("Text")
    st.code(TEXT_LINE * (TEXT_BYTES // len(TEXT_LINE.encode()) + 1), language=None)
    st.text("end of text")


@app.page("/files", title="Files")
def files(st: Any) -> None:
    st.title("Files")
    upload = st.file_uploader("Any file")
    if upload is not None:
        content = upload.getvalue()
        st.text(f"{upload.name} {len(content)} {hashlib.sha256(content).hexdigest()}")
    st.download_button("Fetch", bytes(range(256)) * 4096, file_name="pattern.bin")


@app.page("/ids", title="Ids")
def ids(st: Any, client: ApiClient) -> None:
    st.title("Ids")
    st.text(f"page {st.context.headers.get('X-Request-ID', 'none')}")
    st.text(f"api {client.get('/request-id').json()['id']}")

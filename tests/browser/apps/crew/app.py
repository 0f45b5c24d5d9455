"""Pages that tell which process serves them, and hand files to and fro."""

from __future__ import annotations

import os
from typing import Any

from fluxlit import FluxLit

app = FluxLit(title="Crew")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


@app.page("/", title="Home")
def home(st: Any) -> None:
    st.title("Home")
    if st.button("Again"):
        st.session_state["times"] = st.session_state.get("times", 0) + 1
    st.text(f"pid {os.getpid()}")
    st.text(f"times {st.session_state.get('times', 0)}")
    st.text(f"cookies {[name for name in st.context.cookies if name.startswith('fluxlit')]}")
    upload = st.file_uploader("Any file")
    if upload is not None:
        st.text(f"{upload.name} {upload.getvalue().decode()} at {os.getpid()}")
    st.image(PIXEL, width=20)
    st.download_button("Fetch", f"made by {os.getpid()}", file_name="made.txt")
    st.text(f"files of {os.getpid()}")

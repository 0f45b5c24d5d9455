"""The pages, as functions of the ``streamlit`` module.

Each page prints what it made of its widgets, so that the driver can tell a rerun that did its work
from an answer that merely came back.
"""

from __future__ import annotations

import functools
import os
import statistics
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.apps.api import USERS

PAGE_VARIABLE = "BENCH_PAGE"
PAGE_COUNT_VARIABLE = "BENCH_PAGE_COUNT"
API_VARIABLE = "BENCH_API"
MIB = 1024 * 1024


def small(st: Any) -> None:
    """Show a few elements, as an ordinary form would."""
    st.title("Dashboard")
    value = st.slider("Value", 0, 1_000_000, 0)
    st.button("Refresh")
    left, right = st.columns(2)
    left.metric("Orders", value)
    right.metric("Open", 7)
    st.text(f"value={value}")


def table(st: Any) -> None:
    """Show the same and a short table, for which Streamlit imports pandas and PyArrow."""
    small(st)
    st.dataframe({"day": list(range(20)), "orders": [day * day for day in range(20)]})


def frame(st: Any) -> None:
    """Show 100 000 rows of eight floats, 6.4 MB, different in every run.

    A frame that stayed the same could be sent as a reference to a message the browser already has.
    """
    import numpy as np  # noqa: PLC0415 - the other pages do without

    value = st.slider("Value", 0, 1_000_000, 0)
    numbers = np.arange(800_000, dtype=np.float64).reshape(100_000, 8) + value
    st.dataframe(numbers)
    st.text(f"value={value}")


def busy(st: Any) -> None:
    """Show the small page after 50 ms of work in Python, which holds the interpreter's lock."""
    deadline = time.thread_time() + 0.05
    while time.thread_time() < deadline:
        sum(range(1000))
    small(st)


def call(st: Any) -> None:
    """Ask the API many times and show how long one answer took: half of them took longer."""
    value = st.slider("Value", 0, 1_000_000, 0)
    client = api_client()
    durations = []
    for _ in range(50):
        started = time.perf_counter()
        users = client.get("/users").json()
        durations.append(time.perf_counter() - started)
    assert users == USERS
    st.text(f"value={value}")
    st.text(f"p50={statistics.median(durations):.9f}")


def upload(st: Any) -> None:
    """Take a file and show its size and checksum."""
    file = st.file_uploader("File")
    if file is not None:
        st.text(f"size={file.size} crc={zlib.crc32(file.getbuffer())}")


def download(st: Any) -> None:
    """Offer a file of as many MiB as the slider says."""
    mebibytes = st.slider("Value", 0, 400, 0)
    if mebibytes:
        st.download_button("Get", download_payload(mebibytes), file_name="payload.bin")
    st.text(f"value={mebibytes}")


def api_client() -> Any:
    """Return how a page calls the API: FluxLit's client, or an HTTP client that is kept."""
    base = os.environ.get(API_VARIABLE)
    if base:
        return _kept_client(base)
    from fluxlit.client import ApiClient  # noqa: PLC0415 - other contestants do without

    return ApiClient()


@functools.lru_cache(maxsize=1)
def _kept_client(base: str) -> Any:
    import httpx2  # noqa: PLC0415 - the other pages do without

    return httpx2.Client(base_url=base)


@functools.lru_cache(maxsize=2)
def download_payload(mebibytes: int) -> bytes:
    """Return the downloadable file's bytes."""
    return bytes(range(256)) * (mebibytes * MIB // 256)


PAGES: Mapping[str, Callable[[Any], None]] = {
    "small": small,
    "busy": busy,
    "call": call,
    "table": table,
    "frame": frame,
    "upload": upload,
    "download": download,
}


def chosen_page() -> Callable[[Any], None]:
    """Return the page that the environment asks for."""
    return PAGES[os.environ[PAGE_VARIABLE]]

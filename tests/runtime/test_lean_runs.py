"""A rerun executes what a script written by hand would, and next to nothing else: counted."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.drivers.load import Address
from benchmarks.drivers.session import open_tab
from tests.support.service import running

pytestmark = pytest.mark.integration

COUNTING = """
import json, sys, threading
from collections import Counter
from pathlib import Path

counts = Counter()
loaded = set()

def note(frame, event, arg):
    if not loaded and "ScriptRunner" in threading.current_thread().name:
        loaded.update(sys.modules)
    if event == "call":
        module = frame.f_globals.get("__name__", "")
        counts[f"{module}:{frame.f_code.co_qualname}"] += 1

def save():
    if not Path("imported.json").exists():
        Path("imported.json").write_text(json.dumps(sorted(set(sys.modules) - loaded)))
    Path("calls.json").write_text(json.dumps(counts))
    counts.clear()

threading.setprofile(note)  # for threads to come: each run has one of its own
"""

APP = """
from typing import Any
from fluxlit import FluxLit
from fluxlit.client import ApiClient
import counting

app = FluxLit(title="Desk")

@app.page("/")
def home(st: Any, client: ApiClient) -> None:
    counting.save()
    value = st.slider("Value", 0, 1_000_000, 0)
    st.text(f"value={value}")

@app.page("/users", title="Users", icon="👥")
def users(st: Any) -> None:
    st.title("Users")
"""

BY_HAND = """
import streamlit as st
from fluxlit.client import ApiClient
from desk import home, users

client = ApiClient()
page = st.navigation([
    st.Page(lambda: home(st, client), title="Home", url_path="home", default=True),
    st.Page(lambda: users(st), title="Users", icon="👥", url_path="users"),
])
st.set_page_config(page_title="Desk")
page.run()
"""

MOST_MORE = 60
"""Calls that a run may make beyond those of the script written by hand."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    for name, text in {"counting": COUNTING, "desk": APP, "by_hand": BY_HAND}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> Counter[str]:
    return calls_of_a_rerun("desk:app", folder)


@pytest.fixture(scope="module")
def by_hand(folder: Path) -> Counter[str]:
    return calls_of_a_rerun("by_hand.py", folder)


def calls_of_a_rerun(target: str, folder: Path) -> Counter[str]:
    """Count the calls of a run in a real worker, from the end of one page to the next one."""

    async def move(port: int) -> None:
        async with open_tab(Address(port)) as tab:
            for value in range(1, 6):
                await tab.slide(value)

    with running("run", target, directory=folder) as service:
        asyncio.run(move(service.port))
    return Counter(json.loads((folder / "calls.json").read_text()))


def test_a_rerun_makes_hardly_more_calls_than_a_script_written_by_hand(
    ours: Counter[str], by_hand: Counter[str]
) -> None:
    more = ours - by_hand
    assert 200 < by_hand.total() < 20_000, "the count itself is broken"
    assert more.total() <= MOST_MORE, more.most_common()


def test_the_first_run_imports_nothing(folder: Path, ours: Counter[str]) -> None:
    assert ours
    assert json.loads((folder / "imported.json").read_text()) == []


def test_a_rerun_reads_no_settings_signature_or_target(ours: Counter[str]) -> None:
    costly = ("fluxlit.config", "pydantic", "fluxlit.runtime.targets", "fluxlit.pages.registry")
    assert not [name for name in ours if name.startswith(costly)]
    assert not [name for name in ours if name.endswith((":plan_of", ":make_record"))]
    assert ours["fluxlit.pages.runner:run_site"] == 1

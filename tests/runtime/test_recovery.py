"""A tab comes back: its session goes on, or its page runs anew, and in no case twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.service import Service, running
from tests.support.tab import Tab

from fluxlit._streamlit.recovery import FRAGMENT

pytestmark = pytest.mark.integration

APP = """
from typing import Any
from fluxlit import FluxLit

app = FluxLit(title="Probe")
RUNS = []

@app.page("/")
def home(st: Any) -> None:
    RUNS.append(st.context.url)
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    st.text(f"of all {len(RUNS)}")
    st.text(f"of mine {st.session_state['runs']}")
"""
QUIET = 0.5
"""Seconds after which nothing more is expected; the browser is asked within milliseconds."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("home")
    (directory / "app.py").write_text(APP)
    with running("run", directory=directory) as service:
        yield service


def is_silent(tab: Tab) -> bool:
    """Tell whether no run begins, and the tab is asked for none; ends of the last one may come."""
    try:
        while tab.hear(QUIET).WhichOneof("type") not in {"new_session", "auto_rerun"}:
            pass
    except TimeoutError:
        return True
    return False


def count(texts: list[str]) -> int:
    return int(texts[0].removeprefix("of all "))


def test_a_session_that_is_known_goes_on_and_nobody_is_asked(service: Service) -> None:
    with Tab(service.port) as tab:
        assert is_silent(tab)  # a first visit costs nothing
        session = tab.run().session
    with Tab(service.port, session) as tab:
        assert is_silent(tab)
        assert tab.run().texts[1] == "of mine 2"


def test_a_tab_of_a_lost_session_is_asked_and_runs_once_however_often_it_answers(
    service: Service,
) -> None:
    with Tab(service.port) as tab:
        before = count(tab.run().texts)
    with Tab(service.port, "lost-with-another-process") as tab:
        asked = tab.hear().auto_rerun
        assert asked.fragment_id == FRAGMENT
        assert 0 < asked.interval < 0.1
        for _ in range(3):
            tab.ask(fragment_id=FRAGMENT, is_auto_rerun=True)
        run = tab.finished()
        assert run.texts == [f"of all {before + 1}", "of mine 1"]
        assert is_silent(tab)
        tab.ask(fragment_id=FRAGMENT, is_auto_rerun=True)  # one that was long on its way
        assert is_silent(tab)
        assert count(tab.run().texts) == before + 2
    with Tab(service.port, run.session) as tab:
        assert is_silent(tab)


@pytest.mark.parametrize("first", ["", "fragment-of-the-lost-session"])
def test_a_click_that_was_quicker_is_the_run(service: Service, first: str) -> None:
    with Tab(service.port, "lost-with-another-process") as tab:
        assert tab.hear().WhichOneof("type") == "auto_rerun"
        tab.ask(fragment_id=first)
        tab.ask(fragment_id=FRAGMENT, is_auto_rerun=True)
        assert tab.finished().texts[1] == "of mine 1"
        assert is_silent(tab)

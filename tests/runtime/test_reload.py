"""``fluxlit dev`` follows edits: what each kind of file replaces, and what stays."""

from __future__ import annotations

import http.client
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.runtime.harness import ask, is_ready, started, until, workers
from tests.support.service import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.service import Service

pytestmark = pytest.mark.integration

APP = """
import asyncio, os
from typing import Any
from fastapi.responses import StreamingResponse
from fluxlit import FluxLit
from words import WORD

app = FluxLit()

@app.api.get("/said")
def said() -> list[Any]:
    return [WORD, app.settings.title, os.getpid()]

@app.api.get("/ticks")
async def ticks() -> StreamingResponse:
    async def endless():
        while True:
            yield b"tick "
            await asyncio.sleep(0.05)
    return StreamingResponse(endless())

@app.page("/")
def home(st: Any) -> None:
    st.title("Home")
"""


@contextmanager
def development(folder: Path, *flags: str) -> Iterator[Service]:
    (folder / "app.py").write_text(APP)
    say(folder, "one")
    with running("dev", *flags, directory=folder) as service:
        yield service


def say(folder: Path, word: str) -> None:
    (folder / "words.py").write_text(f"WORD = {word!r}\n")


def word(service: Service) -> object:
    said = ask(service, "/api/said")
    assert isinstance(said, list)
    return said[0]


def uis(service: Service) -> list[int]:
    return [workers(service)["ui"].pid]


def test_edited_code_serves_the_api_at_once_and_the_ui_stays(tmp_path: Path) -> None:
    with development(tmp_path) as service:
        before = uis(service)
        listener = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        listener.request("GET", "/api/ticks")
        ticks = listener.getresponse()
        assert ticks.read(5) == b"tick "

        for noise in ("desk.db", "app.log", "words.py.swp", "4913", ".hidden.py", "x.pid"):
            (tmp_path / noise).write_text("noise")
        (tmp_path / ".venv").mkdir()
        (tmp_path / ".venv/module.py").write_text("noise")
        say(tmp_path, "two")
        until(lambda: word(service) == "two")
        # The old code has an open connection still, and then is gone.
        with pytest.raises(http.client.IncompleteRead):
            ticks.read()
        listener.close()

        pid = ask(service, "/api/said")
        for number in range(40):  # a checkout
            (tmp_path / f"part{number}.py").write_text("x = 1\n")
        say(tmp_path, "three")
        until(lambda: word(service) == "three")
        assert ask(service, "/api/said") != pid
        (tmp_path / "new").mkdir()
        (tmp_path / "new/template.html").write_text("<p>")
        service.wait_until_said("template.html: the API's new code")
        assert uis(service) == before
        lines = service.output().splitlines()
    told = [line for line in lines if "new code serves" in line]
    assert [line.split(":")[0] for line in told] == [
        "words.py",
        "part0.py, part1.py, part10.py and 38 more",
        "template.html",
    ]


def test_settings_replace_the_ui_too_and_a_mistake_in_them_nothing(tmp_path: Path) -> None:
    with development(tmp_path) as service:
        before = uis(service)
        (tmp_path / ".env").write_text("FLUXLIT_TITLE=Renamed\n")
        until(lambda: "Renamed" in str(ask(service, "/api/said")))
        until(lambda: uis(service) != before)
        (tmp_path / "fluxlit.toml").write_text("titel = 'x'\n")
        service.wait_until_said("unknown key 'titel'")
        say(tmp_path, "two")  # is correct, and waits for the settings
        service.wait_until_said("words.py: the old code serves on")
        assert word(service) == "one"
        (tmp_path / "fluxlit.toml").unlink()
        until(lambda: word(service) == "two")
        # What says nothing to the service replaces nobody.
        gateway = workers(service)["gateway"].pid
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'desk'\n")
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit/config.toml").write_text("[theme]\nbase = 'dark'\n")
        say(tmp_path, "three")
        until(lambda: word(service) == "three")
        assert workers(service)["gateway"].pid != gateway
        assert "pyproject.toml" not in service.output()
        assert "config.toml" not in service.output()


@pytest.mark.parametrize("scope", ["gateway", "full"])
def test_a_scope_decides_for_all_files(scope: str, tmp_path: Path) -> None:
    more = tmp_path / "elsewhere"
    more.mkdir()
    folder = tmp_path / "app"
    folder.mkdir()
    with development(folder, "--reload-scope", scope, "--reload-dir", str(more)) as service:
        before = uis(service)
        if scope == "gateway":
            (folder / ".env").write_text("FLUXLIT_TITLE=Renamed\n")
            until(lambda: "Renamed" in str(ask(service, "/api/said")))
        else:
            (more / "data.toml").write_text("x = 1\n")
            service.wait_until_said("data.toml: API and UI were started anew")
        assert (uis(service) == before) is (scope == "gateway")


def test_without_reload_nothing_is_watched(tmp_path: Path) -> None:
    with development(tmp_path, "--no-reload") as service:
        say(tmp_path, "two")
        gateway = workers(service)["gateway"]
        gateway.kill()  # whoever starts anew has what is there
        gateway.wait(10)
        until(lambda: word(service) == "two")
        assert "serves after" not in service.output()


def test_a_first_start_that_fails_waits_for_the_correction(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "words.py").write_text("WORD = ")
    with started("dev", directory=tmp_path) as service:
        service.wait_until_said("waiting for an edit")
        assert "SyntaxError: invalid syntax (words.py, line 1)" in service.output()
        say(tmp_path, "one")
        until(lambda: is_ready(service))
        assert word(service) == "one"
        say(tmp_path, "two")
        until(lambda: word(service) == "two")
        service.stop(signal.SIGINT)


def test_a_service_that_waits_for_a_correction_ends_when_asked(tmp_path: Path) -> None:
    with started("dev", "no_such:app", directory=tmp_path) as service:
        service.wait_until_said("waiting for an edit")
        service.stop(signal.SIGTERM)
    with started("dev", "no_such:app", "--no-reload", directory=tmp_path) as service:
        assert service.wait(seconds=30) == 1

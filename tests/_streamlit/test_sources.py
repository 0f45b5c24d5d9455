from __future__ import annotations

import sys
import threading
from functools import partial
from types import ModuleType

import pytest
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.watcher.local_sources_watcher import LocalSourcesWatcher

from fluxlit._streamlit import sources
from fluxlit._streamlit.sources import SourceEdits, own_modules


def module(name: str, **attributes: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


def is_own(file: str) -> bool:
    return file.startswith("/desk/")


MODULES = {
    "shop": module("shop", __file__="/desk/shop/__init__.py"),
    "shop.orders": module("shop.orders", __file__="/desk/shop/orders.py"),
    "shop.plugin": module("shop.plugin", __file__="/lib/plugin.py"),
    "shopping": module("shopping", __file__="/lib/shopping.py"),
    "spread": module("spread", __path__=["/desk/spread", "/lib/spread"]),
    "parts": module("parts", __path__=["/desk/parts"]),
    "built_in": module("built_in", __file__=None),
}


def test_the_users_modules_are_found_with_all_that_hangs_on_them() -> None:
    assert own_modules(MODULES, is_own) == ["shop", "shop.orders", "shop.plugin", "parts"]


def test_a_module_that_makes_up_attributes_does_not_matter() -> None:
    class Odd(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> object:
            return 1

    odd: dict[str, ModuleType | None] = {"lazy": Lazy("lazy"), "none": None}
    assert own_modules(odd, is_own) == []
    with pytest.raises(RuntimeError):
        _ = Odd("odd").anything
    assert own_modules({"odd": Odd("odd")}, is_own) == []


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> str:
    name = "fluxlit_edited_module"
    monkeypatch.setitem(sys.modules, name, module(name, __file__="/desk/edited.py"))
    # As in the releases whose runs ask for it, whichever is installed.
    asked = type("Asked", (), {"on_script_run": None})
    monkeypatch.setattr(sources, "LocalSourcesWatcher", asked)
    return name


def noted(told: list[tuple[str, str | None]], name: str, path: str | None) -> None:
    told.append((name, path))


def test_each_session_is_told_and_the_modules_are_forgotten_once(own: str) -> None:
    edits = SourceEdits(is_own)
    told: list[tuple[str, str | None]] = []
    tabs = {}
    for name in ("one", "two"):
        tabs[name] = session = sources._Session(edits)
        session.register_file_change_callback(partial(noted, told, name))
    edits.happened(["/desk/edited.py"])
    assert sorted(told) == [("one", "/desk/edited.py"), ("two", "/desk/edited.py")]
    assert own in sys.modules  # a run may be using it
    tabs["one"].on_script_run()
    assert own not in sys.modules
    sys.modules[own] = module(own, __file__="/desk/edited.py")
    tabs["two"].on_script_run()
    assert own in sys.modules  # the first one's import serves both
    tabs["two"].close()
    edits.happened([])
    assert told[2:] == [("one", None)]


def test_a_module_that_another_run_imports_is_not_taken_from_it(own: str) -> None:
    edits = SourceEdits(is_own)
    spec = type("Spec", (), {"_initializing": True})()
    sys.modules[own].__spec__ = spec
    edits.happened(["/desk/edited.py"])
    forgetting = threading.Thread(target=edits.forget)
    forgetting.start()
    forgetting.join(0.1)
    assert forgetting.is_alive()
    assert own in sys.modules
    spec._initializing = False
    forgetting.join(10)
    assert own not in sys.modules


def test_an_import_that_does_not_end_is_not_waited_for(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "IMPORTED_WITHIN", 0.05)
    sys.modules[own].__spec__ = type("Spec", (), {"_initializing": True})()
    edits = SourceEdits(is_own)
    edits.happened(["/desk/edited.py"])
    edits.forget()
    assert own not in sys.modules


def test_a_release_whose_runs_do_not_ask_has_them_forgotten_at_once(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LocalSourcesWatcher", object)
    SourceEdits(is_own).happened(["/desk/edited.py"])
    assert own not in sys.modules


def test_streamlit_asks_a_session_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_session, "LocalSourcesWatcher", LocalSourcesWatcher)
    SourceEdits(is_own).install()
    session = vars(app_session)["LocalSourcesWatcher"]("pages manager")
    asked = {
        name
        for function in (*vars(AppSession).values(), *vars(ScriptRunner).values())
        for code in [getattr(function, "__code__", None)]
        if code is not None and "_local_sources_watcher" in code.co_names
        for name in code.co_names
        if name in dir(LocalSourcesWatcher) and not name.startswith("_")
    }
    assert {"register_file_change_callback", "update_watched_modules", "close"} <= asked
    assert {name for name in asked if not hasattr(session, name)} == set()
    session.update_watched_modules()
    session.update_watched_pages()

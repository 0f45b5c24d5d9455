from __future__ import annotations

import itertools
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fluxlit.app import FluxLit
from fluxlit.exceptions import TargetError
from fluxlit.runtime.loading import find_app, last_app, load_app

_numbers = itertools.count()

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a module with a name of its own; return that name. What it imports is forgotten."""
    modules, path = set(sys.modules), list(sys.path)

    def module(code: str, folder: str = "") -> str:
        name = f"loaded_{next(_numbers)}"
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        (tmp_path / folder / f"{name}.py").write_text(textwrap.dedent(code))
        return name

    yield module
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("loaded_", "package_")):
            del sys.modules[name]


def fails(target: str) -> TargetError:
    with pytest.raises(TargetError) as caught:
        load_app(target)
    return caught.value


def test_a_file_is_loaded_by_path(write: Write, tmp_path: Path) -> None:
    name = write("from fluxlit import FluxLit\nclass box:\n    app = FluxLit(title='In a box')")
    assert load_app(f"{tmp_path}/{name}.py:box.app").settings.title == "In a box"


def test_loading_twice_gives_the_same_object(write: Write, tmp_path: Path) -> None:
    name = write("from fluxlit import FluxLit\napp = FluxLit()")
    assert load_app(f"{tmp_path}/{name}.py") is load_app(f"{tmp_path}/{name}.py")


def test_a_bare_script_gets_an_app_with_a_readable_title(write: Write, tmp_path: Path) -> None:
    name = write("1/0  # not run at this point")
    app = load_app(f"{tmp_path}/{name}.py")
    assert isinstance(app, FluxLit)
    assert app.settings.title == name.replace("_", " ").title()
    assert app.streamlit_script == tmp_path / f"{name}.py"


def test_a_file_in_a_package_may_import_its_neighbours(write: Write, tmp_path: Path) -> None:
    package = f"package_{next(_numbers)}"
    other = write("TITLE = 'Neighbour'", package)
    name = write(
        f"from .{other} import TITLE\nfrom fluxlit import FluxLit\napp = FluxLit(title=TITLE)",
        package,
    )
    (tmp_path / package / "__init__.py").touch()
    assert load_app(f"{tmp_path}/{package}/{name}.py").settings.title == "Neighbour"


def test_a_missing_module_is_told_apart_from_one_that_it_imports(
    write: Write, tmp_path: Path
) -> None:
    missing = fails("no_such_module_here:app")
    assert "there is no module 'no_such_module_here'" in str(missing)
    assert "fluxlit run" in missing.remedy
    inner = fails(f"{tmp_path}/{write('import no_such_package')}.py:app")
    assert "ModuleNotFoundError: No module named 'no_such_package'" in str(inner)
    assert inner.remedy == "correct the error above"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", ["has no attribute 'app'"]),
        ("app = 3", ["'int', not a FluxLit app"]),
        ("x = 1\ndef broken(:", ["SyntaxError", ", line 2\n", "    def broken(:\n", "^"]),
        ("from os import nothing", ["ImportError", "nothing"]),
        ("import sys\nsys.exit(3)", ["SystemExit: 3", "sys.exit(3)"]),
        ("raise KeyboardInterrupt", ["KeyboardInterrupt", "line 1"]),
        ("def f():\n    1/0\nf()", ["ZeroDivisionError: division by zero", "in f", "line 3"]),
        (
            """
            from fluxlit import FluxLit
            app = FluxLit()
            @app.page("/")
            def a(st): ...
            @app.page("/")
            def b(st): ...
            """,
            ["duplicate"],
        ),
    ],
)
def test_what_is_wrong_with_the_users_module_is_shown_in_the_users_frames(
    write: Write, tmp_path: Path, code: str, words: list[str]
) -> None:
    error = fails(f"{tmp_path}/{write(code)}.py:app")
    assert error.remedy
    for word in words:
        assert word in str(error)
    for machinery in ("importlib", "loading.py", "Traceback"):
        assert machinery not in str(error)


def test_an_app_under_another_name_is_suggested(write: Write, tmp_path: Path) -> None:
    name = write("from fluxlit import FluxLit\nportal = FluxLit()")
    assert fails(f"{tmp_path}/{name}.py:app").remedy == f"did you mean {name}:portal?"


def test_a_file_whose_name_is_taken_says_by_what(tmp_path: Path) -> None:
    (tmp_path / "inspect.py").write_text("from fluxlit import FluxLit\napp = FluxLit()")
    path = list(sys.path)
    error = fails(f"{tmp_path}/inspect.py")
    sys.path[:] = path
    assert "inspect.py cannot be imported: 'inspect' is /" in str(error)
    assert error.remedy == "give the file another name"


def test_an_app_that_was_forgotten_is_loaded_anew_with_what_the_flags_said(
    write: Write, tmp_path: Path
) -> None:
    name = write("from fluxlit import FluxLit\napp = FluxLit(title='One')")
    target, file = f"{tmp_path}/{name}.py:app", tmp_path / f"{name}.py"
    assert last_app(target) is None
    first = load_app(target, {"gateway_port": 9999})
    assert find_app(target) is first
    del sys.modules[name]
    file.write_text("from fluxlit import FluxLit\napp = FluxLit(title='Another')")
    second = find_app(target)
    assert (second.settings.title, second.settings.gateway_port) == ("Another", 9999)
    del sys.modules[name]
    file.write_text("from fluxlit import FluxLit\napp = FluxLit(title=Third)")
    with pytest.raises(TargetError, match="name 'Third' is not defined"):
        find_app(target)
    assert last_app(target) is second


def test_a_module_that_another_thread_fails_to_import_fails_for_all(
    write: Write, tmp_path: Path
) -> None:
    name = write("from fluxlit import FluxLit\napp = FluxLit()")
    target = f"{tmp_path}/{name}.py:app"
    load_app(target)
    (tmp_path / f"{name}.py").write_text("import threading, time\ntime.sleep(0.2)\n1 / 0")
    del sys.modules[name]
    failures = []

    def find() -> None:
        with pytest.raises(TargetError, match="ZeroDivisionError") as caught:
            find_app(target)
        failures.append(caught.value)

    threads = [threading.Thread(target=find) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(failures) == 3

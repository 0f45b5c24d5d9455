from __future__ import annotations

import asyncio
import importlib
import math
import os
import sys
from contextlib import aclosing
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

import pytest

from fluxlit.runtime import edits
from fluxlit.runtime.edits import Edit, Watch, forget_bytecode
from fluxlit.runtime.watching import Need, Sources


def watch(folder: Path, *, since: float = math.inf) -> Watch:
    return Watch(Sources((folder,), folder, (folder / ".streamlit",)), since=since)


async def next_edit(watching: Watch, act: object = None) -> Edit:
    """Wait for an edit; *act* once the watch stands."""
    async with asyncio.timeout(20), aclosing(watching.edits()) as found:
        waiting = asyncio.ensure_future(anext(found))
        if callable(act):
            await asyncio.sleep(0)
            act()
        return await waiting


def test_a_file_that_is_written_made_renamed_or_removed_is_an_edit(tmp_path: Path) -> None:
    app, other = tmp_path / "app.py", tmp_path / "other.py"
    app.write_text("1")

    async def main() -> list[Edit]:
        watching = watch(tmp_path)
        return [
            await next_edit(watching, lambda: app.write_text("2")),
            await next_edit(watching, lambda: app.rename(other)),
            await next_edit(watching, other.unlink),
        ]

    assert asyncio.run(main()) == [
        Edit((app,), Need.GATEWAY),
        Edit((app, other), Need.GATEWAY),
        Edit((other,), Need.GATEWAY),
    ]


def test_what_happens_in_a_new_folder_and_before_the_watch_stands_is_not_missed(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        watching = watch(tmp_path)
        (tmp_path / "early.py").touch()
        async with asyncio.timeout(20), aclosing(watching.edits()) as found:
            assert (await anext(found)).paths == (tmp_path / "early.py",)
            (tmp_path / "new/deep").mkdir(parents=True)
            (tmp_path / "new/deep/late.py").touch()
            assert (await anext(found)).paths == (tmp_path / "new/deep/late.py",)
            (tmp_path / "new/deep/late.py").write_text("more")
            assert (await anext(found)).paths == (tmp_path / "new/deep/late.py",)

    asyncio.run(main())


def test_files_of_one_moment_are_one_edit(tmp_path: Path) -> None:
    def checkout() -> None:
        for number in range(60):
            (tmp_path / f"part{number:02}.py").touch()
        (tmp_path / "fluxlit.toml").write_text("title = 'x'")

    async def main() -> Edit:
        return await next_edit(watch(tmp_path), checkout)

    edit = asyncio.run(main())
    assert len(edit.paths) == 61
    assert edit.need is Need.FULL


def test_what_was_written_since_the_code_was_loaded_is_an_edit(tmp_path: Path) -> None:
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    for path, seconds in ((old, 1000), (new, 2000)):
        path.touch()
        os.utime(path, (seconds, seconds))
    assert asyncio.run(next_edit(watch(tmp_path, since=1500))).paths == (new,)


@pytest.mark.parametrize("reason", [OSError("no space left"), RuntimeError("no"), ImportError("x")])
def test_where_the_system_does_not_tell_of_edits_they_are_looked_for(
    reason: Exception,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise reason

    broken = ModuleType("watchfiles")
    broken.Change, broken.awatch = object, refuse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "watchfiles", broken)
    monkeypatch.setattr(edits, "POLL_SECONDS", 0.02)

    async def main() -> Edit:
        return await next_edit(watch(tmp_path), (tmp_path / "app.py").touch)

    assert asyncio.run(main()).paths == (tmp_path / "app.py",)
    assert "the system does not tell of edits" in caplog.text


def test_a_folder_that_goes_away_ends_no_watch(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    async def main() -> Edit:
        watching = watch(tmp_path)
        gone.rmdir()  # before the watch stands
        return await next_edit(watching, (tmp_path / "app.py").touch)

    assert asyncio.run(main()).paths == (tmp_path / "app.py",)


@pytest.mark.parametrize(
    ("name", "before", "after", "counts"),
    [
        ("fluxlit.toml", "title = 'a'", "title = 'a' # said", False),
        ("fluxlit.toml", "title = 'a'", "title = 'b'", True),
        ("fluxlit.toml", "title = 'a'", "title = ", True),
        ("fluxlit.toml", None, "", False),
        ("pyproject.toml", "[project]\nname = 'a'", "[project]\nname = 'b'", False),
        ("pyproject.toml", "", "[tool.fluxlit]\ntitle = 'b'", True),
        ("pyproject.toml", None, "tool = 1", False),
        (".streamlit/config.toml", "[theme]\nbase='dark'", "[theme]\nbase='light'", False),
        (".streamlit/config.toml", None, "[theme]\nbase='light'", False),
        (".streamlit/config.toml", "", "[server]\nmaxUploadSize=1", True),
        (".env", "A=1", "A=1\n", True),
        (".env", "A=1", None, True),
    ],
)
def test_settings_count_by_what_they_say(
    name: str, before: str | None, after: str | None, counts: bool, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    (tmp_path / "app.py").touch()
    if before is not None:
        file.write_text(before)

    def edit() -> None:
        if after is None:
            file.unlink()
        else:
            file.write_text(after)
        (tmp_path / "app.py").write_text("x")

    found = asyncio.run(_edited(tmp_path, edit))
    assert (file in found.paths) is counts
    assert found.need is (Need.FULL if counts else Need.GATEWAY)


async def _edited(folder: Path, edit: object) -> Edit:
    return await next_edit(watch(folder), edit)


def test_a_file_that_a_page_writes_each_time_is_let_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report, app = tmp_path / "report.html", tmp_path / "app.py"

    async def main() -> list[tuple[str, ...]]:
        clock = iter([0.0, 60.0, *(120.0 + number for number in range(100))])
        watching = Watch(Sources((tmp_path,), tmp_path), clock=lambda: next(clock))
        seen = []
        for number in range(12):
            report.write_text(str(number))
            app.write_text(str(number))
            edit = await next_edit(watching)
            seen.append(tuple(path.name for path in edit.paths))
        return seen

    both, alone = ("app.py", "report.html"), ("app.py",)
    assert asyncio.run(main()) == [both] * 9 + [alone] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"{report} changes all the time: from now on it is not followed"
    ]


def test_a_correction_of_the_same_length_in_the_same_second_is_compiled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "letters_of_one_second.py"

    def read(text: str) -> str:
        file.write_text(f"SAID = {text!r}")
        os.utime(file, (1000, 1000))
        sys.modules.pop(file.stem, None)
        importlib.invalidate_caches()
        return str(importlib.import_module(file.stem).SAID)

    assert read("a") == "a"
    assert read("b") == "a"  # as Python has it
    forget_bytecode([file, tmp_path / "no.py", tmp_path / "page.html"])
    assert read("b") == "b"


def test_what_was_compiled_of_an_edited_file_is_removed(tmp_path: Path) -> None:
    files = [tmp_path / "app.py", tmp_path / "other.py"]
    for file in files:
        file.touch()
        compiled = Path(cache_from_source(str(file)))
        compiled.parent.mkdir(exist_ok=True)
        compiled.touch()
    asyncio.run(next_edit(watch(tmp_path), lambda: files[0].write_text("x = 1")))
    assert [Path(cache_from_source(str(file))).exists() for file in files] == [False, True]

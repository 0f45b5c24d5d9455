from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from fluxlit.exceptions import StartupError
from fluxlit.runtime import watching
from fluxlit.runtime.edits import Edit, Watch
from fluxlit.runtime.reloading import Development, Reload, ReloadLoop
from fluxlit.runtime.watching import Need

APP, ENV = Path("/desk/app.py"), Path("/desk/.env")


class FakeWatch:
    """Yields edits when the service is done with the one before, or at once."""

    def __init__(self, *edits: Edit, at_once: bool = False) -> None:
        self._edits = edits
        self._at_once = at_once
        self.done = asyncio.Event()

    async def edits(self) -> AsyncIterator[Edit]:
        for edit in self._edits:
            yield edit
            await asyncio.sleep(0)
            if not self._at_once:
                await self.done.wait()
            self.done.clear()
        await self.done.wait()


class FakeService:
    """Notes what it was asked to replace; fails as often as it is told to."""

    def __init__(self, watch: FakeWatch, failures: int = 0) -> None:
        self.needs: list[Need] = []
        self.told: list[str] = []
        self.news: asyncio.Queue[None] = asyncio.Queue()
        self._watch = watch
        self._failures = failures

    async def replace(self, need: Need) -> None:
        self.needs.append(need)
        await asyncio.sleep(0.01)
        if self._failures:
            self._failures -= 1
            msg = "it is broken\n  here"
            raise StartupError(msg)

    def announce(self, text: str) -> None:
        self.told.append(text)
        self.news.put_nowait(None)
        self._watch.done.set()


def followed(
    *edits: Edit, failures: int = 0, scope: Need | None = None, at_once: bool = False, news: int
) -> FakeService:
    async def main() -> FakeService:
        watch = FakeWatch(*edits, at_once=at_once)
        service = FakeService(watch, failures)
        loop = ReloadLoop(cast("Watch", watch), service.replace, service.announce, scope=scope)
        running = asyncio.ensure_future(loop.run())
        async with asyncio.timeout(5):
            for _ in range(news):
                await service.news.get()
        running.cancel()
        await asyncio.wait({running})
        return service

    return asyncio.run(main())


def test_each_edit_replaces_what_its_files_need_and_is_told_in_a_line() -> None:
    service = followed(Edit((APP,), Need.GATEWAY), Edit((APP, ENV), Need.FULL), news=2)
    assert service.needs == [Need.GATEWAY, Need.FULL]
    assert service.told[0].startswith("app.py: the API's new code serves after 0.0")
    assert service.told[1].startswith(".env, app.py: API and UI were started anew in 0.0")


@pytest.mark.parametrize("scope", [Need.GATEWAY, Need.FULL])
def test_a_scope_decides_alone(scope: Need) -> None:
    edits = Edit((APP,), Need.GATEWAY), Edit((ENV,), Need.FULL)
    assert followed(*edits, scope=scope, news=2).needs == [scope, scope]


def test_what_did_not_start_is_still_owed() -> None:
    edits = (
        Edit((ENV,), Need.FULL),  # and the code is broken
        Edit((APP,), Need.GATEWAY),
        Edit((APP,), Need.GATEWAY),
    )
    service = followed(*edits, failures=1, news=3)
    assert service.needs == [Need.FULL, Need.FULL, Need.GATEWAY]
    assert service.told[0].splitlines() == [
        ".env: the old code serves on, the new one does not start",
        "  it is broken",
        "    here",
    ]


def test_an_edit_takes_the_place_of_one_that_still_starts() -> None:
    edits = Edit((ENV,), Need.FULL), Edit((APP,), Need.GATEWAY)
    service = followed(*edits, at_once=True, news=1)
    assert service.needs[-1] is Need.FULL
    assert len(service.told) == 1
    assert service.told[0].startswith(".env, app.py: ")


def test_a_fault_of_ours_is_not_swallowed() -> None:
    async def main() -> None:
        watch = FakeWatch(Edit((APP,), Need.GATEWAY), Edit((APP,), Need.GATEWAY), at_once=True)

        async def replace(_: Need) -> None:
            raise ZeroDivisionError

        await ReloadLoop(cast("Watch", watch), replace, lambda _: None).run()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(main(), 5))


def test_only_what_an_edit_can_correct_is_waited_for(tmp_path: Path) -> None:
    target = f"{tmp_path / 'app.py'}:app"
    (tmp_path / "app.py").touch()
    ours, theirs = StartupError("port"), StartupError("SyntaxError\n  there", by_app=True)
    told: list[str] = []

    async def main() -> None:
        still = Development(target, None, told.append)
        assert not still.can_correct(theirs)
        await still.follow(lambda _: asyncio.sleep(0))  # has nothing to do
        development = Development(target, Reload(), told.append)
        assert development.can_correct(theirs)
        assert not development.can_correct(ours)
        (tmp_path / "app.py").write_text("x = 1")
        async with asyncio.timeout(10):
            await development.until_corrected(theirs)

    asyncio.run(main())
    assert told == [
        "error:\n  SyntaxError\n    there\nwaiting for an edit; Ctrl-C ends this",
        "app.py: starting ...",
    ]


def test_more_folders_than_can_be_followed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / "one/two").mkdir(parents=True)
    told: list[str] = []
    Development(f"{tmp_path / 'app.py'}:app", Reload(), told.append)
    assert told == []
    monkeypatch.setattr(watching, "_MOST_FOLDERS", 2)
    Development(f"{tmp_path / 'app.py'}:app", Reload(), told.append)
    assert [text.partition(";")[0] for text in told] == ["too many folders to follow all"]

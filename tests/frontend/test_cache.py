from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from tests.frontend.conftest import SCRIPT, unwritable

from fluxlit._streamlit.frontend import StreamlitFrontend
from fluxlit.frontend.cache import KEPT_VERSIONS, CopyCache, CopyMaker, Job
from fluxlit.frontend.catalog import by_urgency, list_files
from fluxlit.frontend.coding import CODINGS, Coding
from fluxlit.frontend.options import cache_folder


def cache_of(streamlit: StreamlitFrontend) -> CopyCache:
    return CopyCache.of(streamlit.directory.parent / "cache", streamlit, list_files(streamlit))


def content(job: Job) -> bytes:
    return job.file.source.read_bytes()


def test_the_maker_makes_every_copy_and_no_copy_of_pictures(streamlit: StreamlitFrontend) -> None:
    cache, files = cache_of(streamlit), list_files(streamlit)
    jobs = cache.missing(files)
    assert {job.file.source.suffix for job in jobs} == {".js", ".json", ".svg"}
    maker = CopyMaker(cache, files)
    maker.start()
    maker.join(20)
    assert cache.missing(files) == []
    for job in jobs:
        copy = cache.read(job, content(job))
        assert copy == job.coding.thorough(content(job))
    assert not [path for path in cache.directory.rglob(".*") if path.name != ".lock"]


def test_a_maker_that_was_stopped_makes_no_more(streamlit: StreamlitFrontend) -> None:
    cache, files = cache_of(streamlit), list_files(streamlit)
    maker = CopyMaker(cache, files)
    maker.stop()
    maker.start()
    maker.join(20)
    assert len(cache.missing(files)) == 8


def test_only_one_makes_copies_at_a_time(streamlit: StreamlitFrontend) -> None:
    cache, files = cache_of(streamlit), list_files(streamlit)
    with cache.alone() as first, cache.alone() as second:
        assert (first, second) == (True, False)
        maker = CopyMaker(cache, files)
        maker.start()
        maker.join(20)
        assert len(cache.missing(files)) == 8
    with cache.alone() as third:
        assert third


def test_a_maker_without_a_place_for_copies_ends_quietly(streamlit: StreamlitFrontend) -> None:
    cache, files = cache_of(streamlit), list_files(streamlit)
    with unwritable(cache.directory.parent):
        maker = CopyMaker(cache, files)
        maker.start()
        maker.join(20)  # what it raised would be a warning, which fails the test


def test_a_copy_that_cannot_be_finished_leaves_nothing(streamlit: StreamlitFrontend) -> None:
    cache = cache_of(streamlit)
    job = cache.missing(list_files(streamlit))[0]
    (cache.directory / f"{job.file.name}{job.coding.suffix}" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="irectory"):
        cache.make(job)
    assert cache.read(job, content(job)) is None
    assert not list(cache.directory.rglob(".*"))


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_a_copy_must_expand_to_its_file(coding: Coding) -> None:
    copy = coding.thorough(SCRIPT)
    assert coding.expands_to(copy, SCRIPT)
    assert coding.expands_to(coding.quick(b""), b"")
    for wrong in (copy[:-1], b"", coding.quick(SCRIPT + b" "), coding.quick(b"")):
        assert not coding.expands_to(wrong, SCRIPT)


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_a_copy_that_expands_without_end_is_left_at_once(coding: Coding) -> None:
    bomb = coding.quick(bytes(100_000_000))
    tracemalloc.start()
    assert not coding.expands_to(bomb, SCRIPT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_other_files_have_a_cache_of_their_own(streamlit: StreamlitFrontend) -> None:
    before = cache_of(streamlit).directory
    assert cache_of(replace(streamlit, version="1.2.4")).directory != before
    (streamlit.directory / "manifest.json").write_bytes(b"{}")
    assert cache_of(streamlit).directory != before


def test_old_versions_are_forgotten(streamlit: StreamlitFrontend) -> None:
    versions = [replace(streamlit, version=f"1.{number}.0") for number in range(KEPT_VERSIONS + 2)]
    for age, version in enumerate(reversed(versions)):
        with cache_of(version).alone():
            pass
        os.utime(cache_of(version).directory, (1000 - age, 1000 - age))
    with cache_of(streamlit).alone():
        kept = {path.name.split("-")[1] for path in cache_of(streamlit).directory.parent.iterdir()}
    newest = {version.version for version in versions[-(KEPT_VERSIONS - 1) :]}
    assert kept == newest | {streamlit.version}


def test_what_a_first_visit_needs_comes_first(streamlit: StreamlitFrontend) -> None:
    ordered = by_urgency(list_files(streamlit), streamlit.index())
    assert ordered[0].name == "static/js/app.AbCd_-12.js"
    assert [file.size for file in ordered[1:]] == sorted(file.size for file in ordered[1:])


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"FLUXLIT_CACHE_DIR": "/opt/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/opt/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/fluxlit"),
    ],
)
def test_where_copies_are_kept(environ: dict[str, str], folder: str) -> None:
    assert cache_folder(environ) == Path(folder)


@pytest.mark.skipif(sys.platform == "darwin", reason="another folder there")
def test_where_copies_are_kept_by_default() -> None:
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/fluxlit")
    assert not cache_folder({}).parent.exists()


def test_a_maker_does_not_keep_its_process_from_ending(streamlit: StreamlitFrontend) -> None:
    code = (
        "import sys, threading; from pathlib import Path\n"
        "from fluxlit._streamlit.frontend import StreamlitFrontend\n"
        "from fluxlit.frontend.cache import *; from fluxlit.frontend.catalog import list_files\n"
        "files = list_files(StreamlitFrontend('1', Path(sys.argv[1])))\n"
        "class Slow(CopyCache):\n"
        "    def make(self, job): print('making', flush=True); threading.Event().wait()\n"
        "maker = CopyMaker(Slow(Path(sys.argv[2])), files); maker.start()\n"
        "while not list(Path(sys.argv[2]).rglob('.lock')): pass\n"
    )
    arguments = [sys.executable, "-c", code, str(streamlit.directory)]
    target = str(streamlit.directory.parent / "copies")
    subprocess.run([*arguments, target], check=True, timeout=30, capture_output=True)


def test_the_priority_of_the_maker_is_the_lowest(streamlit: StreamlitFrontend) -> None:
    class Watched(CopyCache):
        def make(self, job: Job) -> int:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super().make(job)

    seen: list[int] = []
    maker = CopyMaker(Watched(cache_of(streamlit).directory), list_files(streamlit))
    maker.start()
    maker.join(20)
    assert set(seen) == {19}
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19

from __future__ import annotations

from pathlib import Path

import pytest

from fluxlit._frames import is_machinery
from fluxlit.runtime import watching
from fluxlit.runtime.targets import Target
from fluxlit.runtime.watching import Need, Sources

DESK = Path("/desk")


@pytest.mark.parametrize(
    ("target", "more", "roots"),
    [
        # A module is imported from the working directory.
        (Target("shop.app", "app"), [], [Path.cwd()]),
        (Target("app", "app", DESK / "app.py"), [], [DESK]),
        (Target("shop.app", "app", DESK / "src/shop/app.py"), [], [DESK / "src"]),
        (Target("page", "", DESK / "page.py"), ["/far", "/desk/in", "/far"], [DESK, "/far"]),
    ],
)
def test_the_users_modules_are_where_the_target_is(
    target: Target, more: list[str], roots: list[Path]
) -> None:
    found = Sources.of(target, directory=Path.cwd(), more=map(Path, more))
    assert found.roots == tuple(map(Path, roots))
    assert found.settings == Path.cwd()


def test_a_working_directory_around_the_modules_is_followed_but_a_home_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Target("shop.app", "app", DESK / "src/shop/app.py")
    assert Sources.of(target, directory=DESK).roots == (DESK,)
    monkeypatch.setenv("HOME", str(DESK))
    assert Sources.of(target, directory=DESK).roots == (DESK / "src",)


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("app.py", Need.GATEWAY),
        ("shop/pages/order.PY", Need.GATEWAY),
        ("templates/mail.txt.j2", Need.GATEWAY),
        ("page.html", Need.GATEWAY),
        ("prices.toml", Need.GATEWAY),
        (".streamlit/secrets.toml", Need.GATEWAY),
        (".env", Need.FULL),
        ("fluxlit.toml", Need.FULL),
        ("pyproject.toml", Need.FULL),
        (".streamlit/config.toml", Need.FULL),
        # Settings are read in the working directory alone.
        ("sub/.env", Need.NOTHING),
        ("sub/fluxlit.toml", Need.GATEWAY),
        ("sub/.streamlit/config.toml", Need.NOTHING),
        # What programs write, and what editors leave for a moment.
        ("desk.db", Need.NOTHING),
        ("desk.sqlite3-journal", Need.NOTHING),
        ("app.log", Need.NOTHING),
        (".fluxlit-dev.pid", Need.NOTHING),
        ("data.json", Need.NOTHING),
        ("__pycache__/app.cpython-312.pyc", Need.NOTHING),
        (".app.py.swp", Need.NOTHING),
        (".#app.py", Need.NOTHING),
        ("#app.py#", Need.NOTHING),
        ("app.py~", Need.NOTHING),
        ("4913", Need.NOTHING),
        # What others have written.
        (".venv/lib/python3.12/site-packages/x.py", Need.NOTHING),
        ("venv/x.py", Need.NOTHING),
        ("node_modules/x/index.html", Need.NOTHING),
        (".git/hooks/x.py", Need.NOTHING),
        ("../other/app.py", Need.NOTHING),
    ],
)
def test_what_an_edit_asks_for(name: str, need: Need) -> None:
    sources = Sources((DESK,), DESK, (DESK / ".streamlit",))
    path = DESK / name if not name.startswith("..") else Path("/other/app.py")
    assert sources.need(path) is need


def test_fluxlit_itself_is_nobodys_edit() -> None:
    house = Path(watching.__file__)
    assert is_machinery(str(house))
    assert Sources((house.parents[2],), DESK).need(house) is Need.NOTHING


def test_a_module_is_the_users_own_by_its_file() -> None:
    sources = Sources((DESK,), DESK)
    assert sources.own("/desk/shop/app.py")
    assert not sources.own("/desktop/app.py")
    assert not sources.own("/desk/.venv/lib/app.py")
    assert not sources.own(watching.__file__)


def test_a_scan_finds_what_counts_and_leaves_environments_out(tmp_path: Path) -> None:
    for name in (
        "app.py",
        "shop/pages/order.py",
        "shop/data.csv",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        ".hidden/x.py",
        ".streamlit/config.toml",
        "node_modules/x.html",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "nowhere.py").symlink_to(tmp_path / "gone")
    (tmp_path / "again").symlink_to(tmp_path)  # a circle
    scan = Sources.of(Target("app", "app", tmp_path / "app.py"), directory=tmp_path).scan()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in scan.files) == [
        ".streamlit/config.toml",
        "app.py",
        "shop/pages/order.py",
    ]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in scan.folders) == [
        ".",
        ".streamlit",
        "shop",
        "shop/pages",
    ]


def test_a_huge_folder_is_followed_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        (tmp_path / f"near{number}/far").mkdir(parents=True)
    monkeypatch.setattr(watching, "_MOST_FOLDERS", 5)
    sources = Sources((tmp_path,), tmp_path)
    scan = sources.scan()
    folders = scan.folders
    assert scan.is_partial
    assert scan.before(0).is_partial
    assert len(folders) == 5
    assert folders[0] == tmp_path
    assert {path.parent for path in folders[1:]} == {tmp_path}

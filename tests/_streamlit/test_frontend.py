"""The contract with Streamlit's files and routes, as this release has them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit
from streamlit.file_util import get_static_dir

from fluxlit._streamlit.frontend import SERVER_PATHS, find_frontend, is_index_path
from fluxlit.frontend.catalog import FOREVER, list_files
from fluxlit.frontend.page import NoncedPage, PageHead, compose


def test_the_files_are_where_streamlit_has_them() -> None:
    found = find_frontend()
    assert found is not None
    assert (found.version, found.directory) == (streamlit.__version__, Path(get_static_dir()))
    assert len(list_files(found)) > 200


def test_every_name_that_a_browser_keeps_forever_has_a_hash() -> None:
    found = find_frontend()
    assert found is not None
    others = {it.name for it in list_files(found) if it.cache_control != FOREVER}
    assert {"favicon.png", "manifest.json"} <= others
    assert not [name for name in others if name.endswith((".js", ".css", ".woff2"))]


def test_the_page_has_the_places_that_are_written_to() -> None:
    found = find_frontend()
    assert found is not None
    head = PageHead("T1", "D1", "S1", "./icon.png", "https://x.test/")
    page = compose(found.index(), head, "<!-- F1 -->")
    assert re.search(r"<title>T1</title>", page)
    assert re.search(r'<link rel="shortcut icon" href="./icon.png"', page)
    assert re.search(r"<!-- F1 -->\s*</head>", page)
    assert re.search(r"<noscript>\s*<h1>T1</h1>\s*<p>D1</p>", page)
    nonced = NoncedPage(page).render("N")
    assert not re.search(r"<(script|link)(?! nonce)", nonced.replace("<!--", "").lower())


ROUTES = """
from pathlib import Path
from streamlit import config
from fluxlit._streamlit.server import StreamlitOptions, configure, create_app
options = StreamlitOptions(Path("script.py").absolute(), run_args=(
    "--server.enableStaticServing=true", "--server.scriptHealthCheckEnabled=true"))
configure(options)
for route in create_app(options).routes:
    print("route", type(route).__name__, route.path)
"""


def test_every_route_of_streamlits_server_is_known(tmp_path: Path) -> None:
    """A new route fails here; without it in SERVER_PATHS the gateway would answer in its place."""
    (tmp_path / "script.py").touch()
    printed = subprocess.run(  # it sets Streamlit up for its whole process
        [sys.executable, "-c", ROUTES], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = [line.split(" ", 2) for line in printed.stdout.splitlines()]
    routes = [line[1:] for line in lines if line[0] == "route"]
    assert ["Mount", ""] in routes
    assert len(routes) > 15
    for kind, path in routes:
        assert kind in {"Mount", "Route", "WebSocketRoute"}
        if kind != "Mount":
            assert not is_index_path(re.sub("[{}]", "", path)), path


@pytest.mark.parametrize("path", ["/", "/orders", "/a/b", "/größe", "/static-page", "/mediathek"])
def test_addresses_of_pages(path: str) -> None:
    assert is_index_path(path)


@pytest.mark.parametrize("taken", SERVER_PATHS)
def test_addresses_of_the_server(taken: str) -> None:
    assert not is_index_path(f"/{taken}")
    assert not is_index_path(f"/{taken}/x")

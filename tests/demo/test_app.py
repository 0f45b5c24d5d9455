from __future__ import annotations

import subprocess
import sys

from fluxlit.demo.app import app


def test_the_pages_in_their_order() -> None:
    assert [path for path, _, _ in app.pages] == [
        "/", "/incidents", "/report", "/import", "/system",
    ]  # fmt: skip


def test_every_page_has_an_icon() -> None:
    assert all((record.icon or "").startswith(":material/") for record in app.page_records)


def test_the_routes_are_documented() -> None:
    paths = app.api.openapi()["paths"]

    assert {"/overview", "/incidents", "/incidents/{reference}", "/imports"} <= paths.keys()
    body = paths["/imports"]["post"]["requestBody"]["content"]
    assert list(body) == ["text/csv"]


def test_the_api_process_loads_neither_charts_nor_streamlit() -> None:
    code = "import sys, fluxlit.demo.app; print({'streamlit', 'altair', 'pandas'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "set()\n"

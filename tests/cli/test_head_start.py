"""The first UI worker's process comes before the command line is read, and goes if not wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.harness import assert_gone, is_ready, leftovers, of_kind, started, until, workers

from fluxlit.cli.head_start import is_likely

GOOD = "from fluxlit import FluxLit\napp = FluxLit(title='Good')\n"

SLOW_COMMAND_LINE = """
import sys, time
from pathlib import Path

class Waiting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer" and Path("hold").exists():
            Path("reading").touch()
            while Path("hold").exists():
                time.sleep(0.01)

sys.meta_path.insert(0, Waiting())
"""


@pytest.mark.parametrize(
    ("arguments", "environ", "likely"),
    [
        (["run", "app:app", "--port", "80"], {}, True),
        (["run", "app:app", "--ui-mode=remote"], {}, False),
        (["dev", "--embedded"], {}, False),
        (["dev", "--debug"], {}, False),
        (["run", "-h"], {}, False),
        (["run"], {"FLUXLIT_UI_MODE": "embedded"}, False),
        (["run"], {"NOTIFY_SOCKET": "/run/x"}, False),
    ],
)
def test_when_a_ui_worker_will_be_wanted(
    arguments: list[str], environ: dict[str, str], likely: bool
) -> None:
    assert is_likely(arguments, environ) is likely


def hold(folder: Path) -> dict[str, str]:
    """Have command lines wait, as they do on a slow machine, until the file is gone."""
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(SLOW_COMMAND_LINE)
    (folder / "hold").touch()
    return {"PYTHONPATH": str(folder / "hook")}


@pytest.mark.integration
def test_it_is_there_before_the_command_line_is_read_and_serves_then(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(GOOD)
    with started("run", directory=tmp_path, environment=hold(tmp_path)) as service:
        until((tmp_path / "reading").exists)
        early = workers(service)["ui"]
        (tmp_path / "hold").unlink()
        until(lambda: is_ready(service))
        assert of_kind(service, "ui") == [early]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--no-such-flag"], GOOD), (["--ui-path", "/x"], GOOD.replace("Good'", "Good', settings=1"))],
    ids=["usage", "app"],
)
def test_it_is_gone_with_a_command_that_serves_nothing(
    tmp_path: Path, arguments: list[str], code: str
) -> None:
    (tmp_path / "app.py").write_text(code)
    with started("run", *arguments, directory=tmp_path, environment=hold(tmp_path)) as service:
        until((tmp_path / "reading").exists)
        early = workers(service)["ui"]
        (tmp_path / "hold").unlink()
        assert service.wait(seconds=30) != 0
        assert_gone([early], seconds=2)
        assert leftovers(service, tmp_path) == []
        assert "Exception ignored" not in service.output()
        assert "Traceback" not in service.output()


@pytest.mark.integration
def test_who_wants_no_ui_worker_after_all_has_none(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(GOOD)
    (tmp_path / "fluxlit.toml").write_text("ui_mode = 'embedded'\n")
    with started("run", directory=tmp_path, environment=hold(tmp_path)) as service:
        until((tmp_path / "reading").exists)
        early = workers(service)["ui"]
        (tmp_path / "hold").unlink()
        until(lambda: is_ready(service))
        assert_gone([early], seconds=5)

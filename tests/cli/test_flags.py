from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from fluxlit.cli import app
from fluxlit.cli.flags import (
    Binding,
    LogLevel,
    PidFile,
    Proxies,
    Reloading,
    ReloadScope,
    Scale,
    UIBinding,
    UIModeName,
    UIScale,
)
from fluxlit.cli.serve import Order
from fluxlit.cli.spreading import spread
from fluxlit.config import FluxlitSettings
from fluxlit.config.provenance import FLAGS
from fluxlit.runtime.reloading import Reload
from fluxlit.runtime.watching import Need


def test_what_was_said_becomes_settings() -> None:
    assert Binding().overrides() == Proxies().overrides() == {}
    said = Binding("localhost", 0, LogLevel.DEBUG)
    assert said.overrides() == {
        "gateway_host": "localhost",
        "gateway_port": 0,
        "log_level": "debug",
    }
    assert Proxies(proxy_headers=False, forwarded_allow_ips="").overrides() == {
        "trust_proxy": False,
        "forwarded_allow_ips": "",
    }


@pytest.mark.parametrize(
    ("order", "settings"),
    [
        (Order("a:b"), {}),
        (Order("a:b", workbench=True), {"trust_proxy": True}),
        (Order("a:b", {"trust_proxy": False}, workbench=True), {"trust_proxy": False}),
        (Order("a:b", debug=True), {"debug": True}),
    ],
)
def test_what_a_way_to_serve_implies(order: Order, settings: dict[str, object]) -> None:
    assert order.settings() == settings


def test_how_edits_are_followed() -> None:
    assert Reloading().options() == Reload()
    assert Reloading(reload=False, reload_scope=ReloadScope.FULL).options() is None
    said = Reloading(reload_scope=ReloadScope.GATEWAY, reload_dir=[Path("lib")])
    assert said.options() == Reload(Need.GATEWAY, (Path("lib"),))


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--reload-scope", "all"], "'all' is not one of 'gateway', 'full'"),
        (["--reload-dir", "no-such-folder"], "'no-such-folder' does not exist"),
    ],
)
def test_a_wrong_word_about_edits_is_refused(flags: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["dev", *flags], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exit_code == 2
    assert told in done.output


def test_where_the_pid_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLUXLIT_PIDFILE", raising=False)
    monkeypatch.delenv("FLUXLIT_NO_PIDFILE", raising=False)
    assert PidFile().path() == Path.cwd() / ".fluxlit-dev.pid"
    assert PidFile(no_pidfile=True).path() is None
    monkeypatch.setenv("FLUXLIT_NO_PIDFILE", "1")
    assert PidFile().path() is None
    assert PidFile(pidfile=Path("x.pid")).path() == Path.cwd() / "x.pid"


def test_every_flag_of_a_setting_is_an_option_of_run() -> None:
    run = getattr(get_command(app), "commands", {})["run"]
    options = {spelt for option in run.params for spelt in option.opts}
    assert set(FLAGS.values()) <= options
    assert FLAGS.keys() <= FluxlitSettings.model_fields.keys()


SAID = {
    "host": "a",
    "port": 1,
    "log_level": LogLevel.INFO,
    "workers": 2,
    "ui_workers": "auto",
    "ui_mode": UIModeName.REMOTE,
    "proxy_headers": True,
    "forwarded_allow_ips": "*",
}


@pytest.mark.parametrize("group", [Binding, Scale, Proxies, UIBinding, UIScale])
def test_a_setting_is_known_by_the_flag_that_says_it(group: type[Any]) -> None:
    for option in fields(group):
        for setting in group(**{option.name: SAID[option.name]}).overrides():
            assert FLAGS[setting] == f"--{option.name.replace('_', '-')}"


def test_groups_of_options_are_spread_and_gathered() -> None:
    seen = []

    @spread
    def command(binding: Binding, count: Annotated[int, typer.Option()] = 2) -> None:
        """Do it."""
        seen.append((binding, count))

    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["host", "port", "log_level", "count"]
    assert [item.default for item in parameters.values()] == [None, None, None, 2]
    assert (command.__name__, command.__doc__) == ("command", "Do it.")
    command(host="a", port=1, log_level=None, count=3)
    assert seen == [(Binding("a", 1), 3)]


def test_all_in_one_process_is_no_place_for_a_ui_elsewhere() -> None:
    said = CliRunner(env={"COLUMNS": "80"}).invoke(
        app, ["dev", "--embedded", "--ui-mode", "remote"]
    )
    assert said.exit_code == 2
    assert "--embedded has the UI in this process" in said.output

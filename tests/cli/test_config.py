from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest
from tests.cli.conftest import MakeDesk, schema

from fluxlit.exceptions import TargetError

OWN = """
from fluxlit import FluxLit, FluxlitSettings
from pydantic import SecretStr

class Settings(FluxlitSettings):
    colour: str = "blue"
    desk_key: SecretStr = SecretStr("")

app = FluxLit[Settings](title="Desk")
"""


def test_every_value_with_its_source(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = make_desk(
        OWN, toml='gateway_port = 1\ncolour = "red"\n', env="X=1\nFLUXLIT_DESK_KEY=s3cret\n"
    )
    monkeypatch.setenv("FLUXLIT_GATEWAY_HOST", "localhost")
    status, seen = desk.json("config", "--log-level", "error", "--proxy-headers")
    assert status == 0
    assert "s3cret" not in json.dumps(seen)
    assert seen["binding"] == {"host": "localhost", "port": 1, "log_level": "error"}
    assert seen["project_file"] == {"gateway_port": 1}
    said = {
        name: (seen["settings"][name], *source.values())
        for name, source in seen["sources"].items()
        if source["source"] != "default"
    }
    assert said == {
        "title": ("Desk", "code", "title", None, None),
        "colour": ("red", "file", "colour", "fluxlit.toml", 2),
        "desk_key": ("[REDACTED]", "dotenv", "FLUXLIT_DESK_KEY", ".env", 2),
        "gateway_host": ("localhost", "variable", "FLUXLIT_GATEWAY_HOST", None, None),
        "gateway_port": (1, "file", "gateway_port", "fluxlit.toml", 1),
        "log_level": ("error", "flag", "--log-level", None, None),
        "trust_proxy": (True, "flag", "--proxy-headers", None, None),
    }
    assert seen["settings"].keys() == seen["sources"].keys()
    assert [w["code"] for w in seen["warnings"]] == ["gateway_max_body_unlimited_trust_proxy"]


def test_what_a_start_takes_for_granted(make_desk: MakeDesk) -> None:
    desk = make_desk()
    status, seen = desk.json("config", "--debug", "--workbench", "--strict")
    assert status == 1
    flags = {name for name, source in seen["sources"].items() if source["source"] == "flag"}
    assert flags == {"debug", "trust_proxy"}
    assert "debug_in_production" in {warning["code"] for warning in seen["warnings"]}
    _, seen = desk.json("config", "--workbench", "--no-proxy-headers")
    assert seen["settings"]["trust_proxy"] is False  # what is said outright decides
    _, seen = desk.json("doctor", "--debug", "--workbench")
    status_of = {check["name"]: check["status"] for check in seen["checks"]}
    assert (status_of["debug"], status_of["gateway_max_proxy_body"]) == ("WARN", "WARN")


def test_what_is_derived(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_INTERNAL_API_BASE", "http://127.0.0.1:8000/api")
    desk = make_desk(toml='root_path = "desk/"')
    _, seen = desk.json("config")
    assert seen["computed"] == {
        "public_mount_path": "/desk",
        "derived_internal_api_base": "http://127.0.0.1:8000/api",
        "ambient_internal_api_base": "http://127.0.0.1:8000/api",
    }


@pytest.mark.parametrize(
    ("toml", "plain", "strict"),
    [
        ("", 0, 0),
        ('root_path = "/desk"', 0, 1),
        ('public_base_url = "nonsense"', 1, 1),
    ],
)
def test_the_exit_status(make_desk: MakeDesk, toml: str, plain: int, strict: int) -> None:
    desk = make_desk(toml=toml)
    assert desk.run("config", desk.target)[0] == plain
    assert desk.run("config", desk.target, "--strict")[0] == strict
    assert desk.json("config", "--strict")[0] == strict


def test_for_people(make_desk: MakeDesk) -> None:
    desk = make_desk(toml='root_path = "/desk"\n')
    _, out, err = desk.run("config", desk.target)
    assert f"FluxLit effective configuration of {desk.target}" in out
    assert "/desk             root_path in fluxlit.toml, line 1" in out
    assert "WARN  subpath_without_trust_proxy: /desk means" in out
    assert "try: set trust_proxy" in out
    assert "\033" not in out
    assert err == ""


def test_explaining_a_setting(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = make_desk(toml="gateway_port = 1\n", env="FLUXLIT_GATEWAY_PORT=2")
    monkeypatch.setenv("FLUXLIT_GATEWAY_PORT", "3")
    for key in ("gateway_port", "FLUXLIT_GATEWAY_PORT", "gateway-port"):
        status, out, _ = desk.run("config", desk.target, "--explain", key)
        assert status == 0
        rows = [line.split(maxsplit=1) for line in out.splitlines()]
        assert rows == [
            ["setting", "gateway_port"],
            ["variable", "FLUXLIT_GATEWAY_PORT"],
            ["is", "Port of the gateway, 0 to 65535; 0 picks one."],
            ["default", "8000"],
            ["value", "3"],
            ["from", "FLUXLIT_GATEWAY_PORT"],
            ["hides", "FLUXLIT_GATEWAY_PORT in .env, line 1"],
            ["hides", "gateway_port in fluxlit.toml, line 1"],
        ]


def test_explaining_a_setting_to_a_program(make_desk: MakeDesk) -> None:
    desk = make_desk(OWN.replace('SecretStr("")', 'SecretStr("s3cret")'), toml='colour = "red"\n')
    status, out, _ = desk.run("config", desk.target, "--explain", "colour", "--json")
    told = json.loads(out)
    jsonschema.validate(told, schema("explain"))
    assert (status, told["default"], told["value"]) == (0, "blue", "red")
    assert (told["from"], told["hides"]) == ("colour in fluxlit.toml, line 1", [])
    for as_json in ([], ["--json"]):
        assert "s3cret" not in desk.run("config", desk.target, "--explain", "desk_key", *as_json)[1]


def test_explaining_what_there_is_not(make_desk: MakeDesk) -> None:
    desk = make_desk()
    status, out, err = desk.run("config", desk.target, "--explain", "gateway_prot")
    assert (status, out) == (2, "")
    assert "did you mean gateway_port?" in " ".join(err.split())


def test_the_schema_of_the_project_file(make_desk: MakeDesk) -> None:
    desk = make_desk()
    status, out, _ = desk.run("config", "schema")
    assert status == 0
    jsonschema.validate(tomllib.loads('target = "a:b"\ngateway_port = 1'), json.loads(out))


def test_the_schema_knows_an_app_s_own_settings(make_desk: MakeDesk) -> None:
    desk = make_desk(OWN)
    status, out, _ = desk.run("config", "schema", desk.target)
    assert status == 0
    jsonschema.validate({"colour": "red"}, json.loads(out))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"color": "red"}, json.loads(out))
    assert desk.run("config", desk.target, desk.target)[0] == 2


def test_an_app_that_cannot_be_loaded_is_one_message(make_desk: MakeDesk) -> None:
    desk = make_desk("raise ValueError('no such table')")
    with pytest.raises(TargetError, match="no such table"):
        desk.run("config", desk.target)


def test_no_password_is_shown(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXLIT_PUBLIC_BASE_URL", "https://me:s3cret@desk.example")
    monkeypatch.setenv("FLUXLIT_INTERNAL_API_BASE", "http://me:s3cret@127.0.0.1:8000/api")
    desk = make_desk()
    _, seen = desk.json("config")
    assert seen["computed"]["derived_internal_api_base"] == "http://desk.example/api"
    assert seen["computed"]["ambient_internal_api_base"] == "http://127.0.0.1:8000/api"
    doctor = [desk.run("doctor", desk.target, "--verbose", *more) for more in ((), ("--json",))]
    told = json.dumps([seen, doctor, desk.run("config", desk.target)])
    assert "desk.example" in told
    assert "s3cret" not in told

from __future__ import annotations

import tomllib

import jsonschema
import pytest

from fluxlit.config import FluxlitSettings
from fluxlit.config.schema import project_file_schema


def errors(text: str, cls: type[FluxlitSettings] = FluxlitSettings) -> list[str]:
    validator = jsonschema.Draft202012Validator(project_file_schema(cls))
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(project_file_schema())


@pytest.mark.parametrize(
    "text",
    [
        "",
        'target = "a:b"\ngateway_port = 9000\nlog_level = "debug"',
        'cors_allow_origins = ["https://a.example"]',
        'cors_allow_origins = "https://a.example,https://b.example"',
        "[streamlit_page_config]\nlayout = 'wide'",
    ],
)
def test_files_that_are_right(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gateway_prot = 1", "gateway_prot"),
        ("gateway_port = 70000", "70000"),
        ('debug = "perhaps"', "perhaps"),
        ('log_level = "loud"', "loud"),
        ("cors_allow_origins = [1]", "1"),
    ],
)
def test_files_that_are_wrong(text: str, named: str) -> None:
    assert any(named in message for message in errors(text))


def test_settings_of_ones_own_are_in_it() -> None:
    class Desk(FluxlitSettings):
        colour: str = "blue"

    assert errors('colour = "red"', Desk) == []
    assert errors('colour = "red"') != []

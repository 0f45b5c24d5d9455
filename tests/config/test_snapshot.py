from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import Field, SecretStr

from fluxlit.config import FluxlitSettings, load_settings
from fluxlit.config.snapshot import REDACTED, redacted_settings
from fluxlit.exceptions import ConfigurationError

pytestmark = pytest.mark.usefixtures("no_settings")


class Desk(FluxlitSettings):
    database: str = ""
    api_token: str = ""
    keys: list[SecretStr] = Field(default_factory=list, repr=False)
    hidden: str = Field(default="", repr=False)
    pin: SecretStr | None = Field(default=None, min_length=9)
    named: dict[str, SecretStr] = Field(default_factory=dict)
    max_tokens: int = 5
    shard_password: str = Field(default="", max_length=3)
    limits: dict[str, int] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("jwt_hs256_secret", "s3cret", REDACTED),
        ("jwt_hs256_secret", "", ""),
        ("oidc_bff_secret", "s3cret", REDACTED),
        ("api_token", "s3cret", REDACTED),
        ("hidden", "s3cret", REDACTED),
        ("database", "postgres://me:s3cret@db/x", f"postgres://{REDACTED}@db/x"),
        ("database", "postgres://me:s3cret@[db/x", f"postgres://{REDACTED}@[db/x"),
        ("database", "https://s3cret@db/x", f"https://{REDACTED}@db/x"),
        ("database", "me:s3cret@db", f"{REDACTED}@db"),
        ("public_base_url", "https://me:s3cret@desk", f"https://{REDACTED}@desk"),
        ("database", "postgres://db/x", "postgres://db/x"),
        ("database", "https://db/x?a=1&api_key=s3cret",
         "https://db/x?a=1&api_key=%3Credacted%3E"),
        ("database", "https://db/x?a=b c&d", "https://db/x?a=b c&d"),
        ("cors_middleware_kwargs", {"Cookie": "s3cret", "passphrase": "s3cret"},
         {"Cookie": REDACTED, "passphrase": REDACTED}),
        ("keys", ["s3cret"], [REDACTED]),
        ("limits", {"a": 1}, {"a": 1}),
        ("pin", "s3cret-s3cret", REDACTED),
        ("pin", None, None),
        ("named", {"a": "s3cret"}, {"a": REDACTED}),
        ("max_tokens", 7, 7),
        ("cors_middleware_kwargs", {"X-Api-Key": "s3cret", "max_age": 5},
         {"X-Api-Key": REDACTED, "max_age": 5}),
        ("cors_middleware_kwargs", {"a": [{"token": "s3cret"}]}, {"a": [{"token": REDACTED}]}),
        ("streamlit_run_cli_args", ["--server.cookieSecret=s3cret", "--theme.base=dark"],
         [f"--server.cookieSecret={REDACTED}", "--theme.base=dark"]),
        ("streamlit_run_cli_args", ["--server.cookieSecret", "s3cret", "--theme.base", "dark"],
         ["--server.cookieSecret", REDACTED, "--theme.base", "dark"]),
        ("streamlit_run_cli_args", ["--x.token", "--theme.base=dark", "s3", "dark"],
         ["--x.token", "--theme.base=dark", "s3", "dark"]),
        ("title", "Token", "Token"),
        ("url_session_query_param", "sid", "sid"),
    ],
)  # fmt: skip
def test_what_is_shown(name: str, value: Any, shown: object) -> None:
    seen = redacted_settings(load_settings(Desk, **{name: value}))
    assert seen[name] == shown
    assert "s3cret" not in json.dumps(seen)
    assert seen.keys() == Desk.model_fields.keys()


@pytest.mark.parametrize("wrong", [{"pin": "s3cret"}, {"shard_password": "s3cret"}, {"keys": 1}])
def test_an_error_does_not_show_a_secret_either(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Desk, **wrong)
    assert f"argument {next(iter(wrong))}: " in str(caught.value)
    assert "s3cret" not in str(caught.value)

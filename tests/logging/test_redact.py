from __future__ import annotations

import pytest

from fluxlit.logging import redact_authorization, redact_query_string, sanitize_headers


@pytest.mark.parametrize("key", ["code", "state", "token", "auth_code", "fluxlit_sid", "CODE"])
def test_what_a_login_puts_into_a_query_is_not_logged(key: str) -> None:
    assert redact_query_string(f"page=2&{key}=s3cret") == f"page=2&{key}=%3Credacted%3E"


def test_a_choice_of_keys_replaces_the_default_one() -> None:
    assert (
        redact_query_string("code=a&mine=b", sensitive_keys=["mine"])
        == "code=a&mine=%3Credacted%3E"
    )
    assert redact_query_string("a=&b") == "a=&b="
    assert redact_query_string("") == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Bearer abc", "Bearer <redacted>"),
        ("basic abc", "Basic <redacted>"),
        ("abc", "<redacted>"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_an_authorization_keeps_its_scheme_only(value: str | None, shown: str) -> None:
    assert redact_authorization(value) == shown


def test_credentials_in_headers_are_replaced_and_names_kept() -> None:
    headers = {"Cookie": "a=b", "X-API-Key": "k", "Authorization": "Bearer t", "Accept": "*/*"}
    assert sanitize_headers(headers) == {
        "Cookie": "<redacted>",
        "X-API-Key": "<redacted>",
        "Authorization": "Bearer <redacted>",
        "Accept": "*/*",
    }

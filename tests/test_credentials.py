from __future__ import annotations

import pytest

from fluxlit._credentials import without_password


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@a.example/x?y=1@2", "https://a.example/x?y=1@2"),
        ("https://me:p@w@a.example", "https://a.example"),
        ("https://token@a.example", "https://a.example"),
        ("https://me:pw@[::1]:8000/", "https://[::1]:8000/"),
        ("https://me:pw@[broken", "https://[broken"),
        ("//me:pw@a.example", "//a.example"),
        ("me:pw@a.example", "a.example"),
        ("http://a:b@c/ and http://d:e@f/", "http://c/ and http://f/"),
        ("https://a.example/@me", "https://a.example/@me"),
        ("https://a.example?to=me@b", "https://a.example?to=me@b"),
        ("somebody@a.example", "somebody@a.example"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_url(text: str, shown: str) -> None:
    assert without_password(text) == shown

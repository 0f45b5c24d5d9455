from __future__ import annotations

from importlib.metadata import Distribution, distributions
from typing import NoReturn

import pytest
from streamlit.components.v2 import manifest_scanner

from fluxlit._streamlit.components import quick


class Package(Distribution):
    """A package that is nothing but its metadata."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> NoReturn:
        raise NotImplementedError


def streamlit_says(package: Distribution) -> bool:
    question = manifest_scanner._is_likely_streamlit_component_package
    return bool(getattr(question, "__wrapped__", question)(package))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Metadata-Version: 2.1\nName: numpy\nSummary: Arrays\n", False),
        ("Metadata-Version: 2.1\nName: test-utils\nSummary: best-of\n", False),
        ("Metadata-Version: 2.1\nName: my-Streamlit-thing\nSummary: x\n", True),
        ("Metadata-Version: 2.1\nName: st-table\nSummary: x\n", True),
        ("Metadata-Version: 2.1\nName: ST_table\nSummary: x\n", True),
        ("Metadata-Version: 2.1\nName: table\nSummary: For Streamlit\n", True),
        ("Metadata-Version: 2.1\nName: table\nRequires-Dist: streamlit>=1\n", True),
        ("Metadata-Version: 2.1\nName: table\nSummary: x\n\nNot for streamlit.\n", False),
    ],
)
def test_the_answer_is_streamlit_s_own(text: str, expected: bool) -> None:
    assert streamlit_says(Package(text)) is expected
    assert quick(streamlit_says)(Package(text)) is expected


def test_so_it_is_for_all_that_is_installed_and_hardly_any_is_asked() -> None:
    asked: list[Distribution] = []

    def question(package: Distribution) -> bool:
        asked.append(package)
        return streamlit_says(package)

    installed = list(distributions())
    answers = [quick(question)(package) for package in installed]
    assert answers == [streamlit_says(package) for package in installed]
    assert len(asked) < len(installed) / 4

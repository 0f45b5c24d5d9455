"""A quick look for packages with components.

At its start a Runtime asks each installed package whether it brings components, and parses its
metadata four times over: a tenth of a second in an ordinary environment. All that makes Streamlit
say yes stands in that text, so a search through the text answers for nearly all packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import Distribution
from typing import Final

from streamlit.components.v2 import manifest_scanner

_HINT: Final = re.compile(r"streamlit|^name: *st[-_]", re.IGNORECASE | re.MULTILINE)

_QUESTION: Final = "_is_likely_streamlit_component_package"


def look_quickly() -> None:
    """Let Streamlit ask only packages whose metadata holds what it looks for."""
    asked = vars(manifest_scanner)
    if _QUESTION in asked and not hasattr(asked[_QUESTION], "__wrapped__"):
        asked[_QUESTION] = quick(asked[_QUESTION])


def quick(question: Callable[[Distribution], bool]) -> Callable[[Distribution], bool]:
    """Put the search in front of Streamlit's question."""

    def ask(package: Distribution) -> bool:
        text = package.read_text("METADATA") or package.read_text("PKG-INFO") or ""
        head, _, _ = text.partition("\n\n")  # the rest is a package's own description
        return _HINT.search(head) is not None and question(package)

    ask.__wrapped__ = question  # type: ignore[attr-defined]  # as functools.wraps leaves it
    return ask

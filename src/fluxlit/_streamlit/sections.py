"""The options of one section, without a look at all of them.

Each run tells the browser its theme. Streamlit gathers it from six sections, and for each of them
goes through all of its options, a twentieth of the work of a small page's run. Which option belongs
to which section changes only when the configuration is read anew; values are asked for each time.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from streamlit import config
from streamlit.config_option import ConfigOption

_QUESTION: Final = "get_options_for_section"


class Sections:
    """Answers as ``streamlit.config.get_options_for_section`` does."""

    def __init__(self) -> None:
        self._of: Mapping[str, ConfigOption] | None = None
        self._options: Mapping[str, list[ConfigOption]] = {}

    def __call__(self, section: str) -> dict[str, Any]:
        """Return the values of a section's options by their names."""
        lock: threading.RLock = vars(config)["_config_lock"]
        with lock:  # options are parsed under it
            options = config.get_config_options()
            if options is not self._of:
                self._of, self._options = options, _by_section(options)
            return {option.name: option.value for option in self._options.get(section, ())}


def find_sections_quickly() -> None:
    """Let Streamlit ask this for the options of a section."""
    vars(config)[_QUESTION] = Sections()


def _by_section(options: Mapping[str, ConfigOption]) -> Mapping[str, list[ConfigOption]]:
    found = defaultdict(list)
    for option in options.values():
        found[option.section].append(option)
    return found

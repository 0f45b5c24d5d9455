"""Streamlit's ``AppTest`` with surroundings that hold for each of its runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

Around = Callable[[], AbstractContextManager[object]]
"""Makes what is entered before a run and left after it."""


class PageTest(AppTest):
    """An ``AppTest`` that knows what its script needs around it.

    Args:
        script: What to run.
        around: What each run happens in, those that a widget's ``.run()`` starts included.
        timeout_seconds: After which a run is given up.
    """

    def __init__(self, script: Path, around: Around, *, timeout_seconds: float) -> None:
        super().__init__(script, default_timeout=timeout_seconds)
        self.around = around

    def _run(self, *args: Any, **kwargs: Any) -> AppTest:
        with self.around():
            return super()._run(*args, **kwargs)

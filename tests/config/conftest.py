from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory and an environment without any of our variables."""
    for name in list(os.environ):
        if name.upper().startswith(("FLUXLIT_", "STREAMLIT_")) or name == "PUBLIC_BASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

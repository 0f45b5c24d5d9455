"""The public face is a list."""

from __future__ import annotations

import subprocess
import sys

import fluxlit

HEAVY = (
    "streamlit", "pandas", "numpy", "pyarrow", "aiohttp", "uvicorn",
    "authlib", "joserfc", "cryptography",
)  # fmt: skip


def test_the_face_is_sorted_complete_and_importable() -> None:
    assert fluxlit.__all__ == sorted(fluxlit.__all__)
    assert dir(fluxlit) == fluxlit.__all__
    for name in fluxlit.__all__:
        assert getattr(fluxlit, name) is not None
    assert fluxlit.__version__ == "1.0.0a1"


def test_importing_the_app_class_brings_neither_streamlit_nor_a_login() -> None:
    code = (
        "import sys; from fluxlit import FluxLit; FluxLit()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"

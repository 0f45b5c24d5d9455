"""An existing API and an existing Streamlit script under one roof."""

from __future__ import annotations

from existing_api import api  # type: ignore[import-not-found]  # found beside this file

from fluxlit import FluxLit

app = FluxLit(streamlit_script="dashboard.py", api=api)

"""Streamlit's own ASGI application with the API mounted in it."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Mount
from streamlit.starlette import App

from benchmarks.apps.api import app as api

app = App(Path(__file__).with_name("script.py"), routes=[Mount("/api", app=api)])

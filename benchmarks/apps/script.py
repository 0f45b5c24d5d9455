"""The page as a plain Streamlit script."""

from __future__ import annotations

import streamlit as st

from benchmarks.apps.pages import chosen_page

chosen_page()(st)
